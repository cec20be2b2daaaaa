//! The names of types, as people say them.

/// A type's name without the modules that it and its parameters are in: `Run<Sum>` for `app::pool::Run<app::Sum>`.
pub(crate) fn bare(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    for (n, part) in name.split("::").enumerate() {
        if n > 0 {
            let kept = bare.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
            bare.truncate(kept);
        }
        bare += part;
    }
    bare
}

#[cfg(test)]
mod tests {
    use std::any::type_name;

    use super::bare;

    #[test]
    fn modules_are_left_out_wherever_they_are() {
        assert_eq!(bare(type_name::<Option<&[std::time::Duration]>>()), "Option<&[Duration]>");
        assert_eq!(bare(type_name::<u8>()), "u8");
        assert_eq!(bare("app::pool::Run<app::a_job::Sum, (app::B, u8)>"), "Run<Sum, (B, u8)>");
    }
}
