//! Menus: the tree of queues that a customer chooses from. A folder takes no chats; only its leaves are queues.

use wire::rest::{Direct, MenuChannel, MenuItem, MenuName, Menus};

use crate::config::Menu;

/// The tree, or the part that a direct access key leads to. An unknown key gives the whole tree, and `direct.key` says which it is.
pub(crate) fn present(menus: &[Menu], key: Option<&str>) -> Menus {
    let direct = key
        .filter(|key| !key.is_empty())
        .and_then(|key| find(menus, &|menu| menu.direct_access_key.as_deref() == Some(key)));
    let shown = match direct {
        Some(menu) => vec![item(menu)],
        None => menus.iter().map(item).collect(),
    };
    Menus { menus: shown, direct: Direct { key: direct.is_some(), user: false } }
}

fn item(menu: &Menu) -> MenuItem {
    let is_queue = menu.children.is_empty();
    let chat = MenuChannel { name: "chat".to_owned(), enabled: menu.enabled };
    MenuItem {
        id: menu.id,
        name: menu.name.clone(),
        enabled: menu.enabled,
        children: menu.children.iter().map(item).collect(),
        channels: if is_queue { vec![chat] } else { Vec::new() },
    }
}

fn find<'a>(menus: &'a [Menu], wanted: &dyn Fn(&Menu) -> bool) -> Option<&'a Menu> {
    menus.iter().find_map(|menu| if wanted(menu) { Some(menu) } else { find(&menu.children, wanted) })
}

/// A queue. Folders and unknown numbers are none.
pub(crate) fn queue(menus: &[Menu], id: u64) -> Option<&Menu> {
    find(menus, &|menu| menu.id == id).filter(|menu| menu.children.is_empty())
}

/// A queue that can be entered: it and every folder above it are enabled.
pub(crate) fn is_open(menus: &[Menu], id: u64) -> bool {
    menus.iter().any(|menu| menu.enabled && (menu.id == id || is_open(&menu.children, id)))
}

/// The way to a queue from the top; only its number where it is no longer configured.
pub(crate) fn path(menus: &[Menu], id: u64) -> Vec<MenuName> {
    fn search(menus: &[Menu], id: u64, way: &mut Vec<MenuName>) -> bool {
        for menu in menus {
            way.push(MenuName { id: menu.id, name: menu.name.clone() });
            if menu.id == id || search(&menu.children, id, way) {
                return true;
            }
            way.pop();
        }
        false
    }
    let mut way = Vec::new();
    if !search(menus, id, &mut way) {
        way.push(MenuName { id, name: format!("Queue {id}") });
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(id: u64, enabled: bool, key: Option<&str>, children: Vec<Menu>) -> Menu {
        let direct_access_key = key.map(str::to_owned);
        Menu { id, name: format!("m{id}"), enabled, virtual_agent: None, direct_access_key, children }
    }

    fn tree() -> Vec<Menu> {
        vec![
            menu(1, true, None, vec![]),
            menu(2, true, Some("two"), vec![menu(21, true, Some("deep"), vec![]), menu(22, false, None, vec![])]),
            menu(3, false, None, vec![menu(31, true, None, vec![])]),
        ]
    }

    #[test]
    fn a_direct_access_key_leads_to_its_part_of_the_tree() {
        let ids = |key| {
            let shown = present(&tree(), key);
            (shown.menus.iter().map(|menu| menu.id).collect::<Vec<_>>(), shown.direct.key)
        };
        assert_eq!(ids(None), (vec![1, 2, 3], false));
        assert_eq!(ids(Some("two")), (vec![2], true));
        assert_eq!(ids(Some("deep")), (vec![21], true));
        assert_eq!(ids(Some("unknown")), (vec![1, 2, 3], false));
        assert_eq!(ids(Some("")), (vec![1, 2, 3], false));
    }

    #[test]
    fn only_leaves_are_queues_and_only_enabled_ways_are_open() {
        let tree = tree();
        assert!(queue(&tree, 21).is_some() && queue(&tree, 2).is_none() && queue(&tree, 99).is_none());
        assert!(is_open(&tree, 1) && is_open(&tree, 21));
        assert!(!is_open(&tree, 22) && !is_open(&tree, 31));
        let names: Vec<String> = path(&tree, 21).into_iter().map(|menu| menu.name).collect();
        assert_eq!(names, ["m2", "m21"]);
        assert_eq!(path(&tree, 99).len(), 1);
    }
}
