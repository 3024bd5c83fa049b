//! Menus: the tree of queues that a customer chooses from. A folder takes no chats; only its leaves are queues.

use wire::rest::{Direct, MenuChannel, MenuItem, MenuName, MenuRedirection, Menus};

use super::company::Company;
use super::live::{Live, QueueState};
use super::{calls, deflection, emails};
use crate::clock::now_ms;
use crate::config::{Channel, Menu, Redirection};

/// What a customer asks for when asking for menus.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    /// A direct access key.
    pub(crate) key: Option<&'a str>,
    /// The site's identifier of the customer.
    pub(crate) identifier: Option<&'a str>,
    /// A BCP 47 tag.
    pub(crate) lang: Option<&'a str>,
}

/// The tree, or the part that a direct access key leads to, or those that the customer is sent to. An unknown key leads nowhere, and
/// `direct` says which it is.
pub(crate) fn present(company: &Company, live: &Live, asked: Asked<'_>) -> Menus {
    let menus = &company.settings.menus;
    let by_key = asked
        .key
        .filter(|key| !key.is_empty())
        .and_then(|key| find(menus, &|menu| menu.direct_access_key.as_deref() == Some(key)));
    let mut by_user = Vec::new();
    if let (None, Some(identifier)) = (by_key, asked.identifier) {
        find_all(menus, &|menu| menu.direct_users.iter().any(|user| user == identifier), &mut by_user);
    }
    let direct = Direct { key: by_key.is_some(), user: !by_user.is_empty() };
    let shown = |menu: &Menu| item(company, live, menu, asked.lang);
    let menus = match (by_key, by_user.as_slice()) {
        (Some(menu), _) => vec![shown(menu)],
        (None, []) => menus.iter().filter(|menu| !menu.hidden).map(shown).collect(),
        (None, theirs) => theirs.iter().map(|menu| shown(menu)).collect(),
    };
    Menus { menus, direct }
}

fn item(company: &Company, live: &Live, menu: &Menu, lang: Option<&str>) -> MenuItem {
    let is_queue = menu.children.is_empty();
    let state = live.of(&company.settings.id, queue_of(menu));
    let channels = menu.channels.iter().filter(|_| is_queue).map(|channel| MenuChannel {
        name: channel.as_str().to_owned(),
        enabled: menu.enabled
            && match channel {
                Channel::Chat => takes_chats(menu, state),
                Channel::Email => emails::queue(company, menu.id).is_ok(),
                Channel::VoiceCall => takes_calls(company, menu),
                Channel::ExternalLink => true,
            },
    });
    let below = menu.children.iter().filter(|child| !child.hidden);
    MenuItem {
        id: menu.id,
        name: name(company, menu, lang).to_owned(),
        enabled: menu.enabled,
        children: below.map(|child| item(company, live, child, lang)).collect(),
        channels: channels.collect(),
        redirection: menu.redirection.as_ref().map(|redirection| shown_redirection(company, redirection, lang)),
        deflection: if is_queue { deflection::of_menu(company, queue_of(menu), state) } else { None },
    }
}

/// The queue whose people answer: the one that this one is redirected to.
fn queue_of(menu: &Menu) -> u64 {
    match menu.redirection {
        Some(Redirection::Queue(id)) => id,
        _ => menu.id,
    }
}

fn takes_chats(menu: &Menu, state: QueueState) -> bool {
    let is_open = !state.closed || (menu.virtual_agent.is_some() && menu.virtual_agent_after_hours);
    is_open && matches!(menu.redirection, None | Some(Redirection::Queue(_)))
}

/// Whether somebody is there now, or can be called within the time that calls are planned ahead.
fn takes_calls(company: &Company, menu: &Menu) -> bool {
    let is_here = matches!(menu.redirection, None | Some(Redirection::Queue(_)));
    is_here && calls::can_be_had(company, queue_of(menu), now_ms())
}

fn shown_redirection(company: &Company, redirection: &Redirection, lang: Option<&str>) -> MenuRedirection {
    let (option, data) = match redirection {
        Redirection::Queue(id) => ("queue", id.to_string()),
        Redirection::ExternalLink(url) => ("external_link", url.clone()),
        Redirection::Message(texts) => ("message", company.wording(texts, lang).to_owned()),
    };
    MenuRedirection { option: option.to_owned(), data }
}

/// A menu's name in the company's language for one that was asked for.
fn name<'a>(company: &'a Company, menu: &'a Menu, lang: Option<&str>) -> &'a str {
    let names = menu.names.keys().map(String::as_str);
    let fitting = crate::config::texts::fitting(names, company.lang(lang));
    fitting.and_then(|tag| menu.names.get(tag)).unwrap_or(&menu.name)
}

fn find<'a>(menus: &'a [Menu], wanted: &dyn Fn(&Menu) -> bool) -> Option<&'a Menu> {
    menus.iter().find_map(|menu| if wanted(menu) { Some(menu) } else { find(&menu.children, wanted) })
}

fn find_all<'a>(menus: &'a [Menu], wanted: &dyn Fn(&Menu) -> bool, found: &mut Vec<&'a Menu>) {
    for menu in menus {
        if wanted(menu) {
            found.push(menu);
        } else {
            find_all(&menu.children, wanted, found);
        }
    }
}

/// A queue. Folders and unknown numbers are none.
pub(crate) fn queue(menus: &[Menu], id: u64) -> Option<&Menu> {
    find(menus, &|menu| menu.id == id).filter(|menu| menu.children.is_empty())
}

/// Every queue, in the order of the tree.
pub(crate) fn queues(menus: &[Menu]) -> Vec<&Menu> {
    menus.iter().flat_map(|menu| if menu.children.is_empty() { vec![menu] } else { queues(&menu.children) }).collect()
}

/// A queue that can be entered: it and every folder above it are enabled.
pub(crate) fn is_open(menus: &[Menu], id: u64) -> bool {
    menus.iter().any(|menu| menu.enabled && (menu.id == id || is_open(&menu.children, id)))
}

/// The way to a queue from the top, in the company's language for one that was asked for; only its number where it is no longer configured.
pub(crate) fn path(company: Option<&Company>, id: u64, lang: &str) -> Vec<MenuName> {
    fn search(company: &Company, menus: &[Menu], id: u64, lang: &str, way: &mut Vec<MenuName>) -> bool {
        for menu in menus {
            way.push(MenuName { id: menu.id, name: name(company, menu, Some(lang)).to_owned() });
            if menu.id == id || search(company, &menu.children, id, lang, way) {
                return true;
            }
            way.pop();
        }
        false
    }
    let mut way = Vec::new();
    if !company.is_some_and(|company| search(company, &company.settings.menus, id, lang, &mut way)) {
        way.push(MenuName { id, name: format!("Queue {id}") });
    }
    way
}

/// Why a queue takes no chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// There is no such queue.
    Unknown,
    /// It, or a folder above it, is turned off.
    Disabled,
    /// Its customers are sent somewhere that is no queue.
    Elsewhere,
    /// It is not reached this way.
    NotReached,
    /// Its people are away, and no virtual agent stands in.
    AfterHours,
}

/// The queue that a chat with this one enters: itself, or the one it is redirected to.
pub(crate) fn entered(company: &Company, id: u64, now_ms: u64) -> Result<&Menu, Shut> {
    let menu = reached(company, id, Channel::Chat)?;
    let state = QueueState { closed: !company.is_open(menu.id, now_ms), wait_s: None };
    if takes_chats(menu, state) { Ok(menu) } else { Err(Shut::AfterHours) }
}

/// The queue that is reached through this one in a way, whatever the hour: itself, or the one it is redirected to.
pub(crate) fn reached(company: &Company, id: u64, way: Channel) -> Result<&Menu, Shut> {
    let menus = &company.settings.menus;
    let asked = queue(menus, id).ok_or(Shut::Unknown)?;
    if !is_open(menus, id) {
        return Err(Shut::Disabled);
    }
    let menu = match asked.redirection {
        None => asked,
        Some(Redirection::Queue(to)) => queue(menus, to).ok_or(Shut::Unknown)?,
        Some(_) => return Err(Shut::Elsewhere),
    };
    if !is_open(menus, menu.id) {
        return Err(Shut::Disabled);
    }
    if menu.channels.contains(&way) { Ok(menu) } else { Err(Shut::NotReached) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company() -> Company {
        let text = r#"
            id = "acme"
            name = "Acme"
            languages = ["en", "it"]
            menus = [
                { id = 1, name = "m1", names = { it = "uno" } },
                { id = 2, name = "m2", direct_access_key = "two", children = [
                    { id = 21, name = "m21", direct_access_key = "deep", direct_users = ["vip"] },
                    { id = 22, name = "m22", enabled = false },
                    { id = 23, name = "m23", hidden = true, direct_access_key = "secret" },
                ] },
                { id = 3, name = "m3", enabled = false, children = [{ id = 31, name = "m31" }] },
                { id = 4, name = "m4", hidden = true, direct_users = ["vip", "vip2"] },
                { id = 5, name = "m5", redirection = { queue = 21 }, channels = ["voice_call", "chat", "email", "external_link"] },
                { id = 6, name = "m6", redirection = { message = { en = "Later", it = "Dopo" } } },
                { id = 7, name = "m7", redirection = { external_link = "https://a.example/" }, channels = ["chat"] },
                { id = 8, name = "m8", hours = {} },
                { id = 9, name = "m9", hours = {}, virtual_agent = 1, virtual_agent_after_hours = true },
                { id = 10, name = "m10", channels = ["email"] },
            ]
        "#;
        Company::new(toml::from_str(text).unwrap())
    }

    #[test]
    fn a_direct_access_key_or_the_customer_leads_to_a_part_of_the_tree() {
        let company = company();
        let shown = |key, identifier| {
            let shown = present(&company, &Live::default(), Asked { key, identifier, lang: None });
            let ids: Vec<u64> = shown.menus.iter().map(|menu| menu.id).collect();
            (ids, shown.direct.key, shown.direct.user)
        };
        let all = vec![1, 2, 3, 5, 6, 7, 8, 9, 10];
        assert_eq!(shown(None, None), (all.clone(), false, false));
        assert_eq!(shown(Some("two"), None), (vec![2], true, false));
        assert_eq!(shown(Some("deep"), Some("vip")), (vec![21], true, false));
        assert_eq!(shown(Some("secret"), None), (vec![23], true, false));
        assert_eq!(shown(Some("unknown"), None), (all.clone(), false, false));
        assert_eq!(shown(Some(""), Some("nobody")), (all, false, false));
        assert_eq!(shown(Some("unknown"), Some("vip")), (vec![21, 4], false, true));
        assert_eq!(shown(None, Some("vip2")), (vec![4], false, true));
        let folder = present(&company, &Live::default(), Asked { key: Some("two"), ..Asked::default() });
        let below: Vec<u64> = folder.menus[0].children.iter().map(|menu| menu.id).collect();
        assert_eq!(below, [21, 22], "what is hidden has a key of its own");
    }

    #[test]
    fn only_leaves_are_queues_and_only_enabled_ways_are_open() {
        let company = company();
        let entered = |id| entered(&company, id, 1_000_000).map(|menu| menu.id);
        let table = [
            (1, Ok(1)),
            (2, Err(Shut::Unknown)),
            (99, Err(Shut::Unknown)),
            (21, Ok(21)),
            (22, Err(Shut::Disabled)),
            (23, Ok(23)),
            (31, Err(Shut::Disabled)),
            (5, Ok(21)),
            (6, Err(Shut::Elsewhere)),
            (7, Err(Shut::Elsewhere)),
            (8, Err(Shut::AfterHours)),
            (9, Ok(9)),
            (10, Err(Shut::NotReached)),
        ];
        for (id, expected) in table {
            assert_eq!(entered(id), expected, "{id}");
        }
        let queues: Vec<u64> = queues(&company.settings.menus).iter().map(|menu| menu.id).collect();
        assert_eq!(queues, [1, 21, 22, 23, 31, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn names_and_texts_are_in_the_language_that_was_asked_for() {
        let company = company();
        let shown = |lang| present(&company, &Live::default(), Asked { lang, ..Asked::default() }).menus;
        assert_eq!((shown(None)[0].name.as_str(), shown(Some("it-CH"))[0].name.as_str()), ("m1", "uno"));
        let redirection = |lang| shown(lang)[4].redirection.clone().unwrap();
        assert_eq!(
            (redirection(Some("it")).option.as_str(), redirection(Some("it")).data.as_str()),
            ("message", "Dopo")
        );
        assert_eq!(redirection(Some("de")).data, "Later");
        let names: Vec<String> = path(Some(&company), 21, "en").into_iter().map(|menu| menu.name).collect();
        assert_eq!(names, ["m2", "m21"]);
        assert_eq!(path(Some(&company), 1, "it")[0].name, "uno");
        assert_eq!((path(Some(&company), 99, "en").len(), path(None, 1, "en").len()), (1, 1));
    }
}
