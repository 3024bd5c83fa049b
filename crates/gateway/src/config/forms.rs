//! Forms that agents and virtual agents hand out: what is asked, as it stands in the configuration file. What an answer may be is decided in
//! `platform::embedded::forms`.

use std::collections::HashSet;

use serde::Deserialize;

use super::Texts;

/// Most questions of one form.
const MAX_QUESTIONS: usize = 100;

/// A form (`ccaip.md` 5.6).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its number, unique within the company.
    pub id: u64,
    /// Who shows it.
    pub kind: FormKind,
    /// Its name for agents and in what was answered.
    pub name: String,
    /// What stands above it.
    pub title: Texts,
    /// What stands below the title.
    #[serde(default)]
    pub subtitle: Option<Texts>,
    /// A picture.
    #[serde(default)]
    pub image: Option<String>,
    /// Its number in another system; its own number where absent.
    #[serde(default)]
    pub external_form_id: Option<String>,
    /// Of a browser form: the page, at `https://…` or `http://…`, or a path of the gateway itself such as `/forms/return.html`.
    #[serde(default)]
    pub url: Option<String>,
    /// Text before the questions.
    #[serde(default)]
    pub header: Option<Texts>,
    /// Text after the questions.
    #[serde(default)]
    pub footer: Option<Texts>,
    /// Of a custom form: what is asked, in this order.
    #[serde(default)]
    pub questions: Vec<Question>,
}

/// Who shows a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormKind {
    /// The site, from what is asked.
    Custom,
    /// A page of the company's in a frame.
    Browser,
}

/// A question of a custom form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its number, unique within the form.
    pub id: u64,
    /// What kind of answer it wants.
    #[serde(rename = "type")]
    pub kind: QuestionKind,
    /// What is asked.
    pub question: Texts,
    /// What stands in an empty field.
    #[serde(default)]
    pub placeholder: Option<Texts>,
    /// What helps to answer.
    #[serde(default)]
    pub help_text: Option<Texts>,
    /// Whether there must be an answer.
    #[serde(default)]
    pub is_mandatory: bool,
    /// Whether only the agent reads the answer.
    #[serde(default)]
    pub is_masked: bool,
    /// Of a text: what it must look like.
    #[serde(default)]
    pub content_type: ContentType,
    /// Of a text: its longest length in characters.
    #[serde(default)]
    pub character_limit: Option<u64>,
    /// Of a list: whether several may be picked.
    #[serde(default)]
    pub is_multiselect: bool,
    /// Of a list: what can be picked.
    #[serde(default)]
    pub options: Vec<Choice>,
    /// Of a toggle: the word for on.
    #[serde(default)]
    pub toggle_on_text: Option<Texts>,
    /// Of a toggle: the word for off.
    #[serde(default)]
    pub toggle_off_text: Option<Texts>,
}

/// What kind of answer a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Text.
    TextEntry,
    /// One of a list, or several.
    ListPicker,
    /// A day, such as `2026-11-24`.
    Date,
    /// A time of day, such as `09:30`.
    Time,
    /// Yes or no.
    Toggle,
}

impl QuestionKind {
    /// The vendor's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            QuestionKind::TextEntry => "text_entry",
            QuestionKind::ListPicker => "list_picker",
            QuestionKind::Date => "date",
            QuestionKind::Time => "time",
            QuestionKind::Toggle => "toggle",
        }
    }
}

/// What a text must look like. The words are ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// Anything.
    #[default]
    Text,
    /// A number.
    Number,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A web address.
    Url,
}

impl ContentType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ContentType::Text => "text",
            ContentType::Number => "number",
            ContentType::Email => "email",
            ContentType::Phone => "phone",
            ContentType::Url => "url",
        }
    }
}

/// Something that can be picked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its number, unique within the question.
    pub id: u64,
    /// What is read.
    pub value: Texts,
    /// A picture.
    #[serde(default)]
    pub image: Option<String>,
}

/// What is wrong with a company's forms, in words for whoever wrote them.
pub(super) fn check_forms(forms: &[Form]) -> Result<(), String> {
    let mut ids = HashSet::new();
    for form in forms {
        if form.id == 0 || form.id > super::contents::MAX_ID || !ids.insert(form.id) {
            return Err(format!("form id {} is used twice, or not between 1 and {}", form.id, super::contents::MAX_ID));
        }
        check_form(form).map_err(|text| format!("form {}: {text}", form.id))?;
    }
    Ok(())
}

fn check_form(form: &Form) -> Result<(), String> {
    match (form.kind, form.url.as_deref()) {
        (FormKind::Browser, Some(url)) if is_page(url) && form.questions.is_empty() => {}
        (FormKind::Browser, _) => {
            return Err(
                "a browser form has a `url` (https://…, http://… or a path of the gateway) and no questions".into()
            );
        }
        (FormKind::Custom, None) if (1..=MAX_QUESTIONS).contains(&form.questions.len()) => {}
        (FormKind::Custom, _) => return Err(format!("a custom form has 1 to {MAX_QUESTIONS} questions and no `url`")),
    }
    let mut ids = HashSet::new();
    for question in &form.questions {
        if question.character_limit == Some(0) {
            return Err(format!("question {}: character_limit must be more than 0", question.id));
        }
        if !ids.insert(question.id) {
            return Err(format!("question id {} is used twice", question.id));
        }
        let mut options = HashSet::new();
        if !question.options.iter().all(|option| options.insert(option.id)) {
            return Err(format!("question {}: an option's id is used twice", question.id));
        }
        if (question.kind == QuestionKind::ListPicker) == question.options.is_empty() {
            return Err(format!("question {}: a list_picker has options, and no other type has", question.id));
        }
    }
    Ok(())
}

fn is_page(url: &str) -> bool {
    (url.starts_with('/') && !url.starts_with("//")) || url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_nobody_could_fill_in_is_refused() {
        let table = [
            (
                "id = 1\nkind = \"custom\"\nname = \"f\"\ntitle = \"T\"\n[[questions]]\nid = 1\ntype = \"date\"\nquestion = \"When?\"",
                None,
            ),
            ("id = 1\nkind = \"browser\"\nname = \"f\"\ntitle = \"T\"\nurl = \"/forms/a.html\"", None),
            ("id = 1\nkind = \"browser\"\nname = \"f\"\ntitle = \"T\"", Some("url")),
            ("id = 1\nkind = \"browser\"\nname = \"f\"\ntitle = \"T\"\nurl = \"javascript:alert(1)\"", Some("url")),
            ("id = 1\nkind = \"browser\"\nname = \"f\"\ntitle = \"T\"\nurl = \"//elsewhere.example\"", Some("url")),
            ("id = 1\nkind = \"custom\"\nname = \"f\"\ntitle = \"T\"", Some("questions")),
            ("id = 0\nkind = \"browser\"\nname = \"f\"\ntitle = \"T\"\nurl = \"/a\"", Some("form id 0")),
            (
                "id = 1\nkind = \"custom\"\nname = \"f\"\ntitle = \"T\"\n[[questions]]\nid = 1\ntype = \"list_picker\"\nquestion = \"Which?\"",
                Some("list_picker has options"),
            ),
            (
                "id = 1\nkind = \"custom\"\nname = \"f\"\ntitle = \"T\"\n[[questions]]\nid = 1\ntype = \"date\"\nquestion = \"a\"\n[[questions]]\nid = 1\ntype = \"time\"\nquestion = \"b\"",
                Some("question id 1 is used twice"),
            ),
        ];
        for (text, expected) in table {
            let form: Form = toml::from_str(text).unwrap();
            let problem = check_forms(&[form]).err();
            match expected {
                None => assert_eq!(problem, None, "{text}"),
                Some(part) => {
                    assert!(problem.as_deref().is_some_and(|problem| problem.contains(part)), "{text}: {problem:?}")
                }
            }
        }
    }
}
