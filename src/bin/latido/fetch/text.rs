//! Other people's text, fit to be shown: names out of URLs, what servers and programs said.

/// The longest text, in characters.
const LONGEST: usize = 800;

/// Fit for a terminal: no control characters, and not a whole novel.
pub(crate) fn presentable(text: &str) -> String {
    let clean = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    let length = text.chars().count();
    if length <= LONGEST {
        if !text.contains(char::is_control) {
            return text.to_owned();
        }
        return text.chars().map(clean).collect();
    }
    let head = text.chars().take(LONGEST / 2).map(clean);
    let tail = text.chars().skip(length - LONGEST / 2).map(clean);
    head.chain(["[...]".to_owned()]).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_short_and_cannot_speak_to_the_terminal() {
        assert_eq!(presentable("\u{1b}[2J é\n"), r"\u{1b}[2J é\n");
        let long = presentable(&format!("{}, use another", "x".repeat(60_000)));
        assert!(long.len() < 900 && long.ends_with(", use another"));
    }
}
