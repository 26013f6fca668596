//! What can stand after a command, as data: from it come how a command is written, what is told to whoever writes it
//! otherwise, and what Tab offers.

/// Something that stands after a command.
pub(super) enum Argument {
    One(Kind),
    /// All of these, or nothing.
    Perhaps(&'static [Kind]),
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Person,
    Room,
    Command,
    /// A message of the current room, by its number.
    Message,
    /// One of one's devices.
    Device,
    /// How long.
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from 1 to `most`, called `name`.
    Number {
        name: &'static str,
        most: u32,
    },
    /// The rest of the line, called `name`: so many words.
    Words {
        name: &'static str,
        most: usize,
    },
    /// The rest of the line, called `name`, in at most so many bytes.
    Text {
        name: &'static str,
        most: usize,
    },
}

impl Kind {
    /// How it is called where it is shown how a command is written.
    fn called(self) -> String {
        match self {
            Self::Person => "NAME".to_owned(),
            Self::Room => "#ROOM".to_owned(),
            Self::Command => "COMMAND".to_owned(),
            Self::Message => "#N".to_owned(),
            Self::Device => "DEVICE".to_owned(),
            Self::Time => "TIME".to_owned(),
            Self::Word(words) => words.join("|"),
            Self::Number { name, .. } | Self::Words { name, .. } | Self::Text { name, .. } => name.to_owned(),
        }
    }

    /// What it must be, if its name does not say it all.
    fn explained(self) -> Option<String> {
        match self {
            Self::Room | Self::Command | Self::Word(_) => None,
            Self::Person => Some("NAME is the name of one person".to_owned()),
            Self::Message => {
                Some("#N is the number of a message, such as #41 (/recent lists them)".to_owned())
            }
            Self::Device => Some(
                "DEVICE is a number of /devices, 4 or more digits of a fingerprint, or others".to_owned(),
            ),
            Self::Time => Some("TIME is such as 10m, 12h or 7d".to_owned()),
            Self::Number { name, most } => Some(format!("{name} is a whole number from 1 to {most}")),
            Self::Words { name, most } => Some(format!("{name} are at most {most} words")),
            Self::Text { name, most } => Some(format!("{name} is at most {most} bytes")),
        }
    }
}

/// How a command is written: `/invite [USES] [TIME]`.
pub(super) fn usage(name: &str, takes: &[Argument]) -> String {
    let called = |kinds: &[Kind]| kinds.iter().map(|kind| kind.called()).collect::<Vec<_>>().join(" ");
    let arguments = takes.iter().map(|argument| match argument {
        Argument::One(kind) => kind.called(),
        Argument::Perhaps(kinds) => format!("[{}]", called(kinds)),
    });
    [name.to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

/// What the arguments must be, where that is not clear; empty if it all is.
pub(super) fn explained(takes: &[Argument]) -> String {
    kinds(takes).into_iter().filter_map(Kind::explained).collect::<Vec<_>>().join(", ")
}

/// All of them in their order.
pub(super) fn kinds(takes: &[Argument]) -> Vec<Kind> {
    let all = takes.iter().flat_map(|argument| match argument {
        Argument::One(kind) => std::slice::from_ref(kind),
        Argument::Perhaps(kinds) => kinds,
    });
    all.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_is_written_and_its_arguments_are_explained() {
        const TAKES: &[Argument] = &[
            Argument::One(Kind::Person),
            Argument::Perhaps(&[Kind::Word(&["for"]), Kind::Time]),
            Argument::Perhaps(&[Kind::Text { name: "REASON", most: 200 }]),
        ];
        assert_eq!(usage("/ban", TAKES), "/ban NAME [for TIME] [REASON]");
        let told =
            "NAME is the name of one person, TIME is such as 10m, 12h or 7d, REASON is at most 200 bytes";
        assert_eq!(explained(TAKES), told);
        assert_eq!((usage("/who", &[]).as_str(), explained(&[]).as_str()), ("/who", ""));
    }
}
