//! Surveys: what is asked in a language, whether answers are among what was asked for, and what many of them come to. Pure functions of the
//! configuration and of what is kept; keeping is for whoever calls.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use wire::rest::{ChatSurvey, FormProblem, SurveyQuestion, ValidAnswer};

use crate::config::survey::{MAX_QUESTIONS, Survey, SurveyQuestion as Question, SurveyQuestionKind};

/// Answers by the number of their question: the key of what was chosen, or a text.
pub(crate) type Answers = BTreeMap<u64, String>;

/// Why answers cannot even be compared with what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A name is no number of a question.
    Name,
    /// There is nothing in them.
    Empty,
    /// There are more than any survey has questions.
    TooMany,
}

/// What is asked, in the first of these languages that there is; `lang` is what it is said to be in.
pub(crate) fn present(survey: &Survey, lang: &str, langs: &[&str]) -> ChatSurvey {
    let question = |(position, question): (u64, &Question)| SurveyQuestion {
        id: question.id,
        kind: question.kind.as_str().to_owned(),
        display_text: question.text.wording(langs).to_owned(),
        name: question.name.clone(),
        is_csat: question.kind == SurveyQuestionKind::Csat,
        position,
        valid_answers: valid_answers(question, langs),
    };
    ChatSurvey {
        id: survey.id,
        lang: lang.to_owned(),
        sign_off_display_text: survey.sign_off.wording(langs).to_owned(),
        questions: (1..).zip(&survey.questions).map(question).collect(),
    }
}

/// What can be chosen, in order; `None` where a text is asked for.
pub(crate) fn valid_answers(question: &Question, langs: &[&str]) -> Option<Vec<ValidAnswer>> {
    let words = |key: &str| {
        let choice = question.answers.iter().find(|choice| choice.key == key);
        choice.map_or(key, |choice| choice.value.wording(langs)).to_owned()
    };
    let answer = |key: String| ValidAnswer { value: words(&key), key };
    match (question.kind, question.numbers()) {
        (SurveyQuestionKind::FreeForm, _) => None,
        (_, Some(numbers)) => Some(numbers.map(|number| answer(number.to_string())).collect()),
        (_, None) => Some(question.answers.iter().map(|choice| answer(choice.key.clone())).collect()),
    }
}

/// Answers as they are kept: numbers as their digits, without those that are blank. Values of other types are `""`, which fits no question.
///
/// # Errors
/// Where a name is no number, or nothing is left.
pub(crate) fn read(answers: &Map<String, Value>) -> Result<Answers, Unreadable> {
    if answers.len() > MAX_QUESTIONS {
        return Err(Unreadable::TooMany);
    }
    let mut read = Answers::new();
    for (name, value) in answers {
        let is_number = !name.is_empty() && name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_digit());
        let id = name.parse().ok().filter(|_| is_number).ok_or(Unreadable::Name)?;
        let text = match value {
            Value::String(text) if text.trim().is_empty() => continue,
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        read.insert(id, text);
    }
    if read.is_empty() { Err(Unreadable::Empty) } else { Ok(read) }
}

/// Compares answers with what is asked. Every problem is told at once; none repeats what was written.
pub(crate) fn check(survey: &Survey, answers: &Answers, max_text_bytes: usize) -> Vec<FormProblem> {
    let problem = |(id, text): (&u64, &String)| {
        let found = survey.questions.iter().find(|question| question.id == *id);
        let problem = match found {
            None => "unknown_question",
            Some(_) if text.is_empty() => "wrong_type",
            Some(question) => match valid_answers(question, &[]) {
                Some(valid) if valid.iter().any(|answer| answer.key == *text) => return None,
                Some(_) => "unknown_option",
                None if text.len() > max_text_bytes => "too_long",
                None => return None,
            },
        };
        Some(FormProblem { question_id: *id, problem: problem.to_owned() })
    };
    answers.iter().filter_map(problem).collect()
}

/// How often each answer to a question was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub(crate) fn add(&mut self, key: &str) {
        let count = self.0.entry(key.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn of(&self, key: &str) -> u64 {
        self.0.get(key).copied().unwrap_or(0)
    }

    /// How many there are.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Keys that are not among these.
    pub(crate) fn others<'a>(&'a self, known: &'a [ValidAnswer]) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(String::as_str).filter(|key| !known.iter().any(|answer| answer.key == *key))
    }

    /// A hundred times the mean, to the nearest whole number; `None` without an answer that is a number.
    pub(crate) fn mean_x100(&self) -> Option<u64> {
        let numbers = self.0.iter().filter_map(|(key, count)| Some((key.parse::<u64>().ok()?, *count)));
        let (sum, count) = numbers.fold((0_u64, 0_u64), |(sum, count), (number, times)| {
            (sum.saturating_add(number.saturating_mul(times)), count.saturating_add(times))
        });
        sum.saturating_mul(200).saturating_add(count).checked_div(count.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn survey() -> Survey {
        toml::from_str(
            r#"
            id = 3
            sign_off = { en = "Thanks", it = "Grazie" }
            questions = [
                { id = 11, type = "csat", text = { en = "Content?", it = "Contento?" }, answers = [{ key = "5", value = { en = "very", it = "molto" } }] },
                { id = 12, type = "star", text = "Stars", name = "stars" },
                { id = 13, type = "scale", text = "Tell others?", range = [0, 3] },
                { id = 14, type = "enumeration", text = "Why", answers = [{ key = "a", value = "bikes" }, { key = "b", value = "parts" }] },
                { id = 15, type = "free-form", text = "More?" },
            ]
            "#,
        )
        .unwrap()
    }

    #[test]
    fn each_type_says_what_can_be_answered() {
        let shown = present(&survey(), "it", &["it", "en"]);
        assert_eq!((shown.id, shown.lang.as_str(), shown.sign_off_display_text.as_str()), (3, "it", "Grazie"));
        let row = |at: usize| {
            let question = &shown.questions[at];
            let answers = question.valid_answers.as_ref().map(|answers| {
                answers.iter().map(|answer| format!("{}={}", answer.key, answer.value)).collect::<Vec<_>>().join(" ")
            });
            (question.kind.as_str(), question.position, question.is_csat, question.name.as_deref(), answers)
        };
        let list = |text: &str| Some(text.to_owned());
        assert_eq!(row(0), ("csat", 1, true, None, list("1=1 2=2 3=3 4=4 5=molto")));
        assert_eq!(row(1), ("star", 2, false, Some("stars"), list("1=1 2=2 3=3 4=4 5=5")));
        assert_eq!(row(2), ("scale", 3, false, None, list("0=0 1=1 2=2 3=3")));
        assert_eq!(row(3), ("enumeration", 4, false, None, list("a=bikes b=parts")));
        assert_eq!(row(4), ("free-form", 5, false, None, None));
        assert_eq!(shown.questions[0].display_text, "Contento?");
    }

    #[test]
    fn each_answer_is_checked_by_the_type_of_its_question() {
        let table = [
            (json!({"11": 5}), None),
            (json!({"11": "5"}), None),
            (json!({"11": 6}), Some((11, "unknown_option"))),
            (json!({"11": 4.5}), Some((11, "unknown_option"))),
            (json!({"11": "very"}), Some((11, "unknown_option"))),
            (json!({"11": true}), Some((11, "wrong_type"))),
            (json!({"12": 0}), Some((12, "unknown_option"))),
            (json!({"12": -1}), Some((12, "unknown_option"))),
            (json!({"13": 0}), None),
            (json!({"13": "00"}), Some((13, "unknown_option"))),
            (json!({"13": 4}), Some((13, "unknown_option"))),
            (json!({"14": "a"}), None),
            (json!({"14": ["a"]}), Some((14, "wrong_type"))),
            (json!({"14": "bikes"}), Some((14, "unknown_option"))),
            (json!({"15": "any text"}), None),
            (json!({"15": 7}), None),
            (json!({"15": "x".repeat(11)}), Some((15, "too_long"))),
            (json!({"99": 1}), Some((99, "unknown_question"))),
            (json!({"11": null, "15": "  ", "12": 3}), None),
        ];
        for (given, expected) in table {
            let answers = read(given.as_object().unwrap()).unwrap();
            let problems = check(&survey(), &answers, 10);
            let found = problems.first().map(|problem| (problem.question_id, problem.problem.as_str()));
            assert_eq!(found, expected, "{given}");
            assert!(problems.len() <= 1, "{given}: {problems:?}");
        }
        let answers = read(json!({"11": 9, "14": "z", "12": 1}).as_object().unwrap()).unwrap();
        assert_eq!(check(&survey(), &answers, 10).len(), 2, "every problem at once");
    }

    #[test]
    fn what_is_no_answer_at_all_is_said_to_be_none() {
        let many: Map<String, Value> = (0..51).map(|id| (id.to_string(), json!(1))).collect();
        let table = [
            (json!({}), Unreadable::Empty),
            (json!({"1": ""}), Unreadable::Empty),
            (json!({"1": null}), Unreadable::Empty),
            (json!({"one": 1}), Unreadable::Name),
            (json!({"+1": 1}), Unreadable::Name),
            (json!({"": 1}), Unreadable::Name),
            (json!({"99999999999999999999": 1}), Unreadable::Name),
            (Value::Object(many), Unreadable::TooMany),
        ];
        for (given, expected) in table {
            assert_eq!(read(given.as_object().unwrap()), Err(expected), "{given}");
        }
        let same = [json!({"1": 4, "2": "b"}), json!({"2": "b", "1": "4", "3": " "})];
        let [one, other] = same.map(|given| read(given.as_object().unwrap()).unwrap());
        assert_eq!(one, other, "a number is its digits, and what is blank is not there");
    }

    #[test]
    fn means_are_rounded_and_words_do_not_count() {
        let counts = |keys: &[&str]| {
            let mut counts = Counts::default();
            keys.iter().for_each(|key| counts.add(key));
            counts
        };
        let table: [(&[&str], Option<u64>); 6] = [
            (&[], None),
            (&["a", "b"], None),
            (&["5"], Some(500)),
            (&["5", "4"], Some(450)),
            (&["1", "1", "2"], Some(133)),
            (&["0", "0"], Some(0)),
        ];
        for (keys, expected) in table {
            assert_eq!(counts(keys).mean_x100(), expected, "{keys:?}");
        }
        let counted = counts(&["a", "a", "b"]);
        assert_eq!((counted.of("a"), counted.of("z"), counted.total()), (2, 0, 3));
        let known = [ValidAnswer { key: "a".into(), value: "x".into() }];
        assert_eq!(counted.others(&known).collect::<Vec<_>>(), ["b"]);
    }
}
