//! Every type that holds a secret says so, in words that the compiler holds it to (`secret!` in `src/secrecy.rs`): it is
//! wiped, and can neither be printed nor copied.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What secrets are made of: types of other crates that wipe themselves.
const OF_OTHERS: [&str; 5] =
    ["Aes256Gcm", "DecapsulationKey768", "SharedSecret", "StaticSecret", "Zeroizing"];

/// Parts whose types others use too. The types of `server` and `client` are their own.
const SHARED: [&str; 3] = ["channel", "names", "wire"];

/// A type, and the names of what is in it.
struct Type {
    name: String,
    fields: BTreeSet<String>,
}

#[test]
fn every_type_that_holds_a_secret_is_held_to_it() {
    let mut missing = Vec::new();
    let mut declared = 0;
    let sources = sources();
    let secrets = secrets_by_part(&sources);
    for (path, text) in &sources {
        let listed = listed(text);
        declared += listed.len();
        let part = part_of(path);
        for found in types(text).into_iter().filter(|found| secrets[&part].contains(&found.name)) {
            if !listed.contains(&found.name) {
                missing.push(format!("{}: {}", path.display(), found.name));
            }
        }
    }
    assert!(declared >= 40, "only {declared} types were found: the test no longer sees them");
    assert!(missing.is_empty(), "these hold secrets; add secret!(…) beside them: {missing:#?}");
}

#[test]
fn every_way_to_hold_a_secret_is_seen() {
    let text = "struct A(Zeroizing<String>);\npub enum B<'k> {\n  /// Zeroizing\n  C { d: Arc<A> },\n}\n\
                struct E<'k> { f: &'k StaticSecret, g: &StaticSecret }\nstruct H;\nsecret!(A, B<'static>);";
    let found: Vec<_> = types(text).into_iter().map(|found| (found.name, found.fields)).collect();
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    let (a, b) = (set(&["Zeroizing", "String"]), set(&["d", "Arc", "A"]));
    assert_eq!(found, [("A".into(), a), ("B".into(), b), ("E".into(), set(&["f", "g"]))]);
    assert_eq!(listed(text), set(&["A", "B"]));
}

/// The names of all types that hold a secret, or something that does, as each part means them.
fn secrets_by_part(sources: &[(PathBuf, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let parts: BTreeSet<String> = sources.iter().map(|(path, _)| part_of(path)).collect();
    let known: BTreeSet<String> = OF_OTHERS.map(str::to_owned).into();
    let mut secrets: BTreeMap<_, _> = parts.into_iter().map(|part| (part, known.clone())).collect();
    loop {
        let mut news = Vec::new();
        for (path, text) in sources {
            let part = part_of(path);
            for found in types(text) {
                let here = &secrets[&part];
                if !here.contains(&found.name) && !found.fields.is_disjoint(here) {
                    news.push((part.clone(), found.name));
                }
            }
        }
        if news.is_empty() {
            return secrets;
        }
        for (part, name) in news {
            let is_shared = SHARED.contains(&part.as_str());
            for (_, names) in secrets.iter_mut().filter(|(other, _)| is_shared || **other == part) {
                names.insert(name.clone());
            }
        }
    }
}

/// The structs and enums in a text, with every word in them that is no reference's.
fn types(text: &str) -> Vec<Type> {
    let mut found = Vec::new();
    for keyword in ["struct ", "enum "] {
        for (place, _) in text.match_indices(keyword) {
            let is_word = place == 0 || text[..place].ends_with(['\n', ' ', ')']);
            let rest = &text[place + keyword.len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(open) = rest.find(['{', '(', ';']).filter(|_| is_word && !name.is_empty()) else {
                continue;
            };
            if let Some(body) = within_brackets(&rest[open..]) {
                let body = if keyword == "enum " { without_variants(body) } else { body.to_owned() };
                found.push(Type { name, fields: words(&body) });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// From the first bracket to the one that closes it.
fn within_brackets(text: &str) -> Option<&str> {
    let mut depth = 0;
    for (place, c) in text.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (place > 0).then(|| &text[1..place]);
        }
    }
    None
}

/// What the variants of an enum hold: its body without what is in no bracket.
fn without_variants(body: &str) -> String {
    let code = body.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut depth = 0;
    let is_inside = |c: &char| {
        depth += i32::from(matches!(c, '{' | '(')) - i32::from(matches!(c, '}' | ')'));
        depth > 0
    };
    code.flat_map(|line| line.chars().chain(['\n'])).filter(is_inside).collect()
}

fn words(body: &str) -> BTreeSet<String> {
    let code: String = body.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut words = BTreeSet::new();
    for (number, piece) in code.split('&').enumerate() {
        let mut parts = piece.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''));
        if number > 0 {
            parts.find(|word| !word.is_empty() && !word.starts_with('\'') && *word != "mut");
        }
        words.extend(parts.filter(|word| !word.is_empty() && !word.starts_with('\'')).map(str::to_owned));
    }
    words.retain(|word| !matches!(word.as_str(), "pub" | "super" | "crate" | "in"));
    words
}

/// What is named in `secret!(…)`, without what is generic in it.
fn listed(text: &str) -> BTreeSet<String> {
    let lists = text.split("secret!(").skip(1).filter_map(|rest| rest.split(')').next());
    let names = lists.flat_map(|list| list.split(','));
    names
        .map(|name| name.trim().split('<').next().unwrap().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// The part of the crate that a file belongs to.
fn part_of(path: &Path) -> String {
    Path::new(path.iter().next().unwrap()).file_stem().unwrap().to_string_lossy().into_owned()
}

/// The files that are in the program, each up to its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_for_tests =
                name.ends_with("tests.rs") || ["tests", "fake.rs", "vectors.rs"].contains(&name.as_str());
            if is_for_tests {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
                found.push((path.strip_prefix(&source).unwrap().to_owned(), code));
            }
        }
    }
    found
}
