//! A part of a plan: which of its steps and actors are kept. As text, it is how one process tells another.

use std::collections::BTreeSet;

use super::tree::Number;

/// `None` stands for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) steps: Option<BTreeSet<usize>>,
    pub(crate) actors: Option<BTreeSet<Number>>,
}

/// `1,4-9`, or `none`.
pub(crate) fn to_text(numbers: &BTreeSet<usize>) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let text = |(first, last): (usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    match ranges.is_empty() {
        true => "none".to_owned(),
        false => ranges.into_iter().map(text).collect::<Vec<_>>().join(","),
    }
}

pub(crate) fn from_text(text: &str) -> BTreeSet<usize> {
    let number = |text: &str| -> usize { text.trim().parse().expect("numbers and ranges, as in 1,4-9") };
    let range = |text: &str| match text.split_once('-') {
        Some((first, last)) => number(first)..=number(last),
        None => number(text)..=number(text),
    };
    text.split(',').filter(|text| *text != "none").flat_map(range).collect()
}

#[test]
fn numbers_as_text_are_the_same_numbers() {
    for numbers in [vec![], vec![7], vec![0, 1, 2, 5, 7, 8]] {
        let numbers = BTreeSet::from_iter(numbers);
        assert_eq!(from_text(&to_text(&numbers)), numbers);
    }
    assert_eq!(to_text(&BTreeSet::from([0, 1, 2, 5, 7, 8])), "0-2,5,7-8");
}
