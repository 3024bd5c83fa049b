//! Surveys after a chat: what is asked, as it stands in the configuration file. Which answers are taken is decided in
//! `platform::embedded::survey`.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::{Company, Menu, Texts, contents::MAX_ID};

/// Most questions of one survey.
pub(crate) const MAX_QUESTIONS: usize = 50;
/// Most answers to choose from.
const MAX_ANSWERS: usize = 50;
/// Longest key of an answer.
const MAX_KEY_BYTES: usize = 64;

/// A survey (`ccaip.md` 3.6). One without questions is none, so that a queue can do without the company's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// Its number.
    pub id: u64,
    /// What thanks for the answers.
    pub sign_off: Texts,
    /// What is asked, in this order.
    pub questions: Vec<SurveyQuestion>,
}

/// A question of a survey. Two surveys of a company that ask the same question under one number count its answers together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyQuestion {
    /// Its number, by which it is answered.
    pub id: u64,
    /// What kind of answer it wants.
    #[serde(rename = "type")]
    pub kind: SurveyQuestionKind,
    /// What is asked.
    pub text: Texts,
    /// Its name for whoever reads the results.
    #[serde(default)]
    pub name: Option<String>,
    /// Of a scale: its ends; 0 to 10 where absent. Stars and satisfaction go from 1 to 5.
    #[serde(default)]
    pub range: Option<[u64; 2]>,
    /// Of an enumeration: what can be chosen. Of the others but free-form: words for some of the numbers.
    #[serde(default)]
    pub answers: Vec<SurveyChoice>,
}

/// An answer to choose.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyChoice {
    /// What is sent.
    pub key: String,
    /// What is read.
    pub value: Texts,
}

/// The vendor's kinds of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum SurveyQuestionKind {
    /// Satisfaction, from 1 to 5.
    #[serde(rename = "csat")]
    Csat,
    /// One to five stars.
    #[serde(rename = "star")]
    Star,
    /// A number.
    #[serde(rename = "scale")]
    Scale,
    /// One of several.
    #[serde(rename = "enumeration")]
    Enumeration,
    /// Text.
    #[serde(rename = "free-form")]
    FreeForm,
}

impl SurveyQuestionKind {
    /// The vendor's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SurveyQuestionKind::Csat => "csat",
            SurveyQuestionKind::Star => "star",
            SurveyQuestionKind::Scale => "scale",
            SurveyQuestionKind::Enumeration => "enumeration",
            SurveyQuestionKind::FreeForm => "free-form",
        }
    }
}

impl SurveyQuestion {
    /// The numbers to choose from; none where the answer is no number.
    pub(crate) fn numbers(&self) -> Option<std::ops::RangeInclusive<u64>> {
        match self.kind {
            SurveyQuestionKind::Csat | SurveyQuestionKind::Star => Some(1..=5),
            SurveyQuestionKind::Scale => {
                let [from, to] = self.range.unwrap_or([0, 10]);
                Some(from..=to)
            }
            SurveyQuestionKind::Enumeration | SurveyQuestionKind::FreeForm => None,
        }
    }
}

/// Every survey of a company is sound, and a number means one question in all of them.
pub(super) fn check_surveys(company: &Company) -> Result<(), String> {
    let mut left: Vec<&Menu> = company.menus.iter().collect();
    let mut surveys: Vec<(String, &Survey)> = company.survey.iter().map(|survey| (String::new(), survey)).collect();
    while let Some(menu) = left.pop() {
        surveys.extend(menu.survey.iter().map(|survey| (format!("menu {}: ", menu.id), survey)));
        left.extend(&menu.children);
    }
    let mut known: HashMap<u64, &SurveyQuestion> = HashMap::new();
    for (place, survey) in surveys {
        check_survey(survey).map_err(|text| format!("{place}survey {}: {text}", survey.id))?;
        for question in &survey.questions {
            if known.insert(question.id, question).is_some_and(|same| same != question) {
                return Err(format!(
                    "{place}survey {}: question {} is another one in another survey; results need a number of its own for each",
                    survey.id, question.id
                ));
            }
        }
    }
    Ok(())
}

fn check_survey(survey: &Survey) -> Result<(), String> {
    if survey.id == 0 || survey.id > MAX_ID {
        return Err(format!("its id must be between 1 and {MAX_ID}"));
    }
    if survey.questions.len() > MAX_QUESTIONS {
        return Err(format!("it has more than {MAX_QUESTIONS} questions"));
    }
    let mut ids = HashSet::new();
    for question in &survey.questions {
        if question.id == 0 || question.id > MAX_ID || !ids.insert(question.id) {
            return Err(format!("question id {} is used twice, or not between 1 and {MAX_ID}", question.id));
        }
        check_question(question).map_err(|text| format!("question {}: {text}", question.id))?;
    }
    Ok(())
}

fn check_question(question: &SurveyQuestion) -> Result<(), String> {
    let kind = question.kind;
    if question.range.is_some() && kind != SurveyQuestionKind::Scale {
        return Err("only a scale has a range".into());
    }
    if let Some([from, to]) = question.range
        && to.checked_sub(from).is_none_or(|steps| steps == 0 || steps > 100)
    {
        return Err("its range must be two numbers, the second at most 100 above the first".into());
    }
    if question.answers.len() > MAX_ANSWERS {
        return Err(format!("it has more than {MAX_ANSWERS} answers"));
    }
    let mut keys = HashSet::new();
    for SurveyChoice { key, .. } in &question.answers {
        if key.trim() != key || key.is_empty() || key.len() > MAX_KEY_BYTES || !keys.insert(key.as_str()) {
            return Err(format!(
                "the key {key:?} of an answer is used twice, or does not have 1 to {MAX_KEY_BYTES} characters without space around them"
            ));
        }
        if question.numbers().is_some_and(|mut numbers| !numbers.any(|number| number.to_string() == *key)) {
            return Err(format!("the key {key:?} of an answer is none of its numbers"));
        }
    }
    match kind {
        SurveyQuestionKind::Enumeration if question.answers.len() < 2 => {
            Err("an enumeration needs at least two answers".into())
        }
        SurveyQuestionKind::FreeForm if !question.answers.is_empty() => {
            Err("a free-form question has no answers to choose from".into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictory_surveys_are_refused() {
        let question = |text: &str| format!("survey = {{ id = 1, sign_off = \"x\", questions = [{{ {text} }}] }}");
        let table = [
            (question("id = 1, type = \"csat\", text = \"q\""), None),
            (question("id = 1, type = \"csat\", text = \"q\", answers = [{ key = \"5\", value = \"Very\" }]"), None),
            (question("id = 1, type = \"scale\", text = \"q\", range = [1, 7]"), None),
            ("survey = { id = 3, sign_off = \"x\", questions = [] }".to_owned(), None),
            ("survey = { id = 0, sign_off = \"x\", questions = [] }".to_owned(), Some("survey 0: its id")),
            (question("id = 0, type = \"csat\", text = \"q\""), Some("question id 0")),
            (question("id = 1, type = \"star\", text = \"q\", range = [1, 3]"), Some("only a scale")),
            (question("id = 1, type = \"scale\", text = \"q\", range = [3, 3]"), Some("its range")),
            (question("id = 1, type = \"scale\", text = \"q\", range = [4, 3]"), Some("its range")),
            (question("id = 1, type = \"scale\", text = \"q\", range = [0, 101]"), Some("its range")),
            (
                question("id = 1, type = \"star\", text = \"q\", answers = [{ key = \"6\", value = \"x\" }]"),
                Some("none of its numbers"),
            ),
            (question("id = 1, type = \"enumeration\", text = \"q\""), Some("at least two")),
            (
                question(
                    "id = 1, type = \"enumeration\", text = \"q\", answers = [{ key = \"a\", value = \"x\" }, { key = \"a\", value = \"y\" }]",
                ),
                Some("used twice"),
            ),
            (
                question(
                    "id = 1, type = \"enumeration\", text = \"q\", answers = [{ key = \" a\", value = \"x\" }, { key = \"b\", value = \"y\" }]",
                ),
                Some("\" a\""),
            ),
            (
                question("id = 1, type = \"free-form\", text = \"q\", answers = [{ key = \"a\", value = \"x\" }]"),
                Some("free-form"),
            ),
            (
                format!(
                    "{}\nmenus = [{{ id = 7, name = \"m\", survey = {{ id = 2, sign_off = \"x\", questions = [{{ id = 1, type = \"star\", text = \"q\" }}] }} }}]",
                    question("id = 1, type = \"csat\", text = \"q\"")
                ),
                Some("menu 7: survey 2: question 1 is another one"),
            ),
            (
                format!(
                    "{}\nmenus = [{{ id = 7, name = \"m\", survey = {{ id = 2, sign_off = \"x\", questions = [{{ id = 1, type = \"csat\", text = \"q\" }}] }} }}]",
                    question("id = 1, type = \"csat\", text = \"q\"")
                ),
                None,
            ),
        ];
        for (text, expected) in table {
            let company: Company = toml::from_str(&text).unwrap();
            let problem = check_surveys(&company).err();
            match expected {
                None => assert_eq!(problem, None, "{text}"),
                Some(part) => {
                    assert!(problem.as_deref().is_some_and(|problem| problem.contains(part)), "{text}: {problem:?}")
                }
            }
        }
        for wrong in ["type = \"slider\"", "typ = \"csat\"", "type = \"csat\", position = 1"] {
            let text = question(&format!("id = 1, text = \"q\", {wrong}"));
            assert!(toml::from_str::<Company>(&text).is_err(), "{text}");
        }
    }
}
