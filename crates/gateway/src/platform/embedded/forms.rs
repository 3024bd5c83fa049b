//! Forms: the message that hands one out, what is asked in a language, and whether answers are what was asked for. Pure functions of the
//! configuration; what was answered is kept by whoever calls.

use serde_json::{Map, Value, json};
use wire::rest::{FormAnswer, FormDefinition, FormOption, FormProblem, FormQuestion};

use crate::config::Texts;
use crate::config::forms::{ContentType, Form, FormKind, Question, QuestionKind};
use crate::store::MessageBody;

/// What stands in the place of an answer that only the agent reads.
pub(crate) const MASK: &str = "••••";
/// Longest text where the form sets no limit, in characters.
const DEFAULT_CHARACTER_LIMIT: u64 = 2000;
/// The type of a message that hands out a form.
pub(crate) const FORM: &str = "form";

/// The message that hands out a form. Its place in the chat, by which it is answered, is added when it has one ([`placed`]). `base` is the
/// gateway's own address.
pub(crate) fn message(form: &Form, langs: &[&str], base: &str) -> Map<String, Value> {
    let subtitle = form.subtitle.as_ref().map_or("", |texts| texts.wording(langs));
    let mut shown = json!({
        "id": form.id,
        "form_type": form_type(form.kind),
        "name": form.name,
        "title": form.title.wording(langs),
        "subtitle": subtitle,
        "external_form_id": form.external_form_id.clone().unwrap_or_else(|| form.id.to_string()),
        "smart_action_id": 0,
        "image": form.image.as_deref().unwrap_or(""),
    });
    if let Some(url) = &form.url {
        let page = if url.starts_with('/') { format!("{base}{url}") } else { url.clone() };
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("preview_endpoint".to_owned(), page.into());
        }
    }
    let mut object = Map::new();
    object.insert("type".to_owned(), FORM.into());
    object.insert("form".to_owned(), shown);
    object
}

/// The vendor's words for them are unknown; these are ours.
fn form_type(kind: FormKind) -> &'static str {
    match kind {
        FormKind::Custom => "custom_form",
        FormKind::Browser => "browser_form",
    }
}

/// Whether a form, as its message shows it, is a page in a frame.
pub(crate) fn is_browser_form(shown: &Map<String, Value>) -> bool {
    shown.get("form_type").and_then(Value::as_str) == Some(form_type(FormKind::Browser))
}

/// Whether a message hands out a form.
pub(crate) fn is_form(body: &MessageBody) -> bool {
    // Most messages do not even have the word.
    body.json().contains("\"smart_action_id\"") && read(body).is_some()
}

/// The form of a message: its number, and its object.
pub(crate) fn read(body: &MessageBody) -> Option<(u64, Map<String, Value>)> {
    let object: Map<String, Value> = serde_json::from_str(body.json()).ok()?;
    if object.get("type")?.as_str()? != FORM {
        return None;
    }
    let form = object.get("form")?.as_object()?;
    Some((form.get("id")?.as_u64()?, form.clone()))
}

/// The message with its place in the chat: by that it is answered.
pub(crate) fn placed(body: &MessageBody, index: u64) -> Option<MessageBody> {
    let mut object: Map<String, Value> = serde_json::from_str(body.json()).ok()?;
    object.get_mut("form")?.as_object_mut()?.insert("smart_action_id".to_owned(), index.into());
    Some(MessageBody::new(&object))
}

/// What is asked, in the first of these languages that there is.
pub(crate) fn definition(form: &Form, langs: &[&str]) -> FormDefinition {
    let text = |texts: &Option<Texts>| texts.as_ref().map(|texts| texts.wording(langs).to_owned());
    let question = |(position, question): (u64, &Question)| {
        let is_text = question.kind == QuestionKind::TextEntry;
        let is_list = question.kind == QuestionKind::ListPicker;
        let option = |(list_position, choice): (u64, &crate::config::forms::Choice)| FormOption {
            id: choice.id,
            value: choice.value.wording(langs).to_owned(),
            image: choice.image.clone(),
            list_position,
        };
        FormQuestion {
            id: question.id,
            kind: question.kind.as_str().to_owned(),
            question: question.question.wording(langs).to_owned(),
            position,
            is_mandatory: question.is_mandatory,
            is_masked: question.is_masked,
            placeholder: text(&question.placeholder),
            help_text: text(&question.help_text),
            content_type: is_text.then(|| question.content_type.as_str().to_owned()),
            character_limit: is_text.then(|| character_limit(question)),
            is_multiselect: is_list.then_some(question.is_multiselect),
            options: is_list.then(|| (1..).zip(&question.options).map(option).collect()),
            toggle_on_text: text(&question.toggle_on_text),
            toggle_off_text: text(&question.toggle_off_text),
        }
    };
    FormDefinition {
        title: form.title.wording(langs).to_owned(),
        header: text(&form.header).unwrap_or_default(),
        footer: text(&form.footer).unwrap_or_default(),
        questions: (1..).zip(&form.questions).map(question).collect(),
    }
}

fn character_limit(question: &Question) -> u64 {
    question.character_limit.unwrap_or(DEFAULT_CHARACTER_LIMIT)
}

/// Answers that are what was asked for: as everybody may read them, and the masked ones in clear.
#[derive(Debug, PartialEq)]
pub(crate) struct Answers {
    /// `[{"question_id","question","value"}]` in the order of the questions, masked ones as [`MASK`].
    pub(crate) shown: Vec<Value>,
    /// The masked ones in clear, in the same form.
    pub(crate) masked: Vec<Value>,
}

/// Compares answers with what was asked. Every problem is told at once; none repeats what was written.
pub(crate) fn check(form: &Form, answers: &[FormAnswer], langs: &[&str]) -> Result<Answers, Vec<FormProblem>> {
    let mut problems = Vec::new();
    let mut problem = |question_id: u64, problem: &str| {
        problems.push(FormProblem { question_id, problem: problem.to_owned() });
    };
    let mut given = std::collections::HashMap::new();
    for answer in answers {
        let known = form.questions.iter().any(|question| question.id == answer.question_id);
        if !known {
            problem(answer.question_id, "unknown_question");
        } else if given.insert(answer.question_id, &answer.value).is_some() {
            problem(answer.question_id, "answered_twice");
        }
    }
    let mut checked = Answers { shown: Vec::new(), masked: Vec::new() };
    for question in &form.questions {
        let value = given.get(&question.id).copied().filter(|value| !is_blank(value));
        let Some(value) = value else {
            if question.is_mandatory {
                problem(question.id, "required");
            }
            continue;
        };
        match read_answer(question, value, langs) {
            Err(text) => problem(question.id, text),
            Ok(value) => {
                let entry = |value: Value| json!({ "question_id": question.id, "question": question.question.wording(langs), "value": value });
                if question.is_masked {
                    checked.masked.push(entry(value));
                    checked.shown.push(entry(MASK.into()));
                } else {
                    checked.shown.push(entry(value));
                }
            }
        }
    }
    if problems.is_empty() { Ok(checked) } else { Err(problems) }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// An answer as it is kept: texts as written, picks as what was read beside them.
fn read_answer(question: &Question, value: &Value, langs: &[&str]) -> Result<Value, &'static str> {
    match question.kind {
        QuestionKind::TextEntry => {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) if question.content_type == ContentType::Number => number.to_string(),
                _ => return Err("wrong_type"),
            };
            if u64::try_from(text.chars().count()).unwrap_or(u64::MAX) > character_limit(question) {
                return Err("too_long");
            }
            check_text(question.content_type, text.trim())?;
            Ok(text.into())
        }
        QuestionKind::ListPicker => {
            let pick = |value: &Value| {
                let id = value.as_u64().or_else(|| value.as_str()?.parse().ok()).ok_or("wrong_type")?;
                let choice = question.options.iter().find(|choice| choice.id == id).ok_or("unknown_option")?;
                Ok(Value::from(choice.value.wording(langs)))
            };
            match value {
                Value::Array(items) if question.is_multiselect => {
                    if items.len() > question.options.len() {
                        return Err("unknown_option");
                    }
                    items.iter().map(pick).collect::<Result<Vec<Value>, _>>().map(Value::from)
                }
                Value::Array(_) => Err("wrong_type"),
                one if question.is_multiselect => pick(one).map(|picked| vec![picked].into()),
                one => pick(one),
            }
        }
        QuestionKind::Date => {
            let text = value.as_str().ok_or("wrong_type")?;
            // The calendar knows more forms than the one that was asked for.
            let is_day = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
            if is_day { Ok(text.into()) } else { Err("not_a_date") }
        }
        QuestionKind::Time => {
            let text = value.as_str().ok_or("wrong_type")?;
            let is_time = (text.len() == 5 || text.len() == 8) && text.parse::<jiff::civil::Time>().is_ok();
            if is_time { Ok(text.into()) } else { Err("not_a_time") }
        }
        QuestionKind::Toggle => value.as_bool().map(Value::from).ok_or("wrong_type"),
    }
}

fn check_text(kind: ContentType, text: &str) -> Result<(), &'static str> {
    let (fits, problem) = match kind {
        ContentType::Text => (true, ""),
        ContentType::Number => (text.parse::<f64>().is_ok_and(f64::is_finite), "not_a_number"),
        ContentType::Email => (is_email(text), "not_an_email"),
        ContentType::Phone => (is_phone(text), "not_a_phone_number"),
        ContentType::Url => (is_url(text), "not_a_url"),
    };
    if fits { Ok(()) } else { Err(problem) }
}

/// What browsers take for one: something before and after one `@`, without spaces, and a domain.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let good = |part: &str| !part.is_empty() && !part.contains(['@', ' ', '\t', '\n', '<', '>', ',', ';']);
    good(local) && good(domain) && !domain.starts_with('.') && !domain.ends_with('.') && text.len() <= 254
}

/// Digits in any grouping: which of them can be called is for whoever calls.
fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let rest = text.strip_prefix('+').unwrap_or(text);
    (5..=15).contains(&digits) && rest.chars().all(|c| c.is_ascii_digit() || " -./()".contains(c))
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        toml::from_str(
            r#"
            id = 7
            kind = "custom"
            name = "return"
            title = { en = "Return", it = "Reso" }
            questions = [
                { id = 1, type = "text_entry", question = { en = "Order", it = "Ordine" }, is_mandatory = true, character_limit = 5 },
                { id = 2, type = "text_entry", question = "Mail", content_type = "email" },
                { id = 3, type = "text_entry", question = "Number", content_type = "number" },
                { id = 4, type = "text_entry", question = "Phone", content_type = "phone" },
                { id = 5, type = "text_entry", question = "Page", content_type = "url" },
                { id = 6, type = "list_picker", question = "Size", options = [{ id = 1, value = "S" }, { id = 2, value = { en = "large", it = "grande" } }] },
                { id = 7, type = "list_picker", question = "Colours", is_multiselect = true, options = [{ id = 1, value = "red" }, { id = 2, value = "blue" }] },
                { id = 8, type = "date", question = "Day" },
                { id = 9, type = "time", question = "Hour" },
                { id = 10, type = "toggle", question = "Sure" },
                { id = 11, type = "text_entry", question = "PIN", is_masked = true },
            ]
            "#,
        )
        .unwrap()
    }

    fn answers(list: &[(u64, Value)]) -> Vec<FormAnswer> {
        list.iter().map(|(question_id, value)| FormAnswer { question_id: *question_id, value: value.clone() }).collect()
    }

    #[test]
    fn each_kind_of_answer_is_checked() {
        let table = [
            (2, json!("a@b.example"), None),
            (2, json!("a b@c"), Some("not_an_email")),
            (2, json!("@"), Some("not_an_email")),
            (2, json!(5), Some("wrong_type")),
            (3, json!("12.5"), None),
            (3, json!(12), None),
            (3, json!("NaN"), Some("not_a_number")),
            (3, json!("twelve"), Some("not_a_number")),
            (4, json!("+39 (06) 123-456"), None),
            (4, json!("call me"), Some("not_a_phone_number")),
            (5, json!("https://a.example/x"), None),
            (5, json!("javascript:alert(1)"), Some("not_a_url")),
            (6, json!(2), None),
            (6, json!("2"), None),
            (6, json!(3), Some("unknown_option")),
            (6, json!([1]), Some("wrong_type")),
            (7, json!([1, 2]), None),
            (7, json!(1), None),
            (7, json!([1, 9]), Some("unknown_option")),
            (7, json!([1, 1, 1]), Some("unknown_option")),
            (8, json!("2026-02-28"), None),
            (8, json!("2026-02-30"), Some("not_a_date")),
            (8, json!("28.2.2026"), Some("not_a_date")),
            (9, json!("09:30"), None),
            (9, json!("25:00"), Some("not_a_time")),
            (10, json!(false), None),
            (10, json!("yes"), Some("wrong_type")),
            (1, json!("123456"), Some("too_long")),
            (1, json!("  "), Some("required")),
            (99, json!("x"), Some("unknown_question")),
        ];
        for (id, value, expected) in table {
            let mut list = vec![(id, value.clone())];
            if id != 1 {
                list.push((1, json!("A-1")));
            }
            let problem = check(&form(), &answers(&list), &["en"]).err();
            let found = problem
                .as_ref()
                .and_then(|problems| problems.first())
                .map(|problem| (problem.question_id, problem.problem.as_str()));
            assert_eq!(found, expected.map(|text| (id, text)), "{id} {value}");
        }
    }

    #[test]
    fn masked_answers_are_kept_apart_and_picks_are_read_in_the_language() {
        let list = answers(&[(11, json!("4711")), (6, json!(2)), (1, json!("A-1"))]);
        let checked = check(&form(), &list, &["it"]).unwrap();
        assert_eq!(
            checked.shown,
            [
                json!({"question_id": 1, "question": "Ordine", "value": "A-1"}),
                json!({"question_id": 6, "question": "Size", "value": "grande"}),
                json!({"question_id": 11, "question": "PIN", "value": MASK}),
            ]
        );
        assert_eq!(checked.masked, [json!({"question_id": 11, "question": "PIN", "value": "4711"})]);
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let list = answers(&[(2, json!("no")), (2, json!("again"))]);
        let problems = check(&form(), &list, &["en"]).unwrap_err();
        let told: Vec<_> = problems.iter().map(|problem| (problem.question_id, problem.problem.as_str())).collect();
        assert_eq!(told, [(2, "answered_twice"), (1, "required"), (2, "not_an_email")]);
    }

    #[test]
    fn the_message_is_answered_by_its_place() {
        let body = MessageBody::new(&message(&form(), &["it"], "http://here"));
        assert!(is_form(&body));
        let body = placed(&body, 12).unwrap();
        let (id, shown) = read(&body).unwrap();
        assert_eq!((id, shown["smart_action_id"].as_u64(), shown["title"].as_str()), (7, Some(12), Some("Reso")));
        assert_eq!(shown.get("preview_endpoint"), None);
        assert!(!is_form(&MessageBody::from_stored(r#"{"type":"text","content":"\"smart_action_id\""}"#.into())));
    }
}
