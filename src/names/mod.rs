//! What people type, made into types: whoever holds one of these holds something valid. Parsed at the edge
//! (a socket, a file, a command line), never merely checked, so that the rest of the program need not ask again.

mod away_reason;
mod ban_reason;
mod bot_token;
mod device_label;
mod invite_token;
mod look_alike;
mod mention;
mod message_text;
mod notice;
mod password;
mod precis;
mod reaction;
mod room_name;
mod search_words;
mod time_span;
mod token;
mod topic;
mod username;

pub use away_reason::{AWAY_REASON_BYTES_MAX, AwayReason, AwayReasonError};
pub use ban_reason::{BAN_REASON_BYTES_MAX, BanReason, BanReasonError};
pub use bot_token::{BotToken, BotTokenError};
pub use device_label::{DEVICE_LABEL_BYTES_MAX, DeviceLabel, DeviceLabelError};
pub use invite_token::{INVITE_TOKEN_CHARS, InviteText, InviteToken, InviteTokenError};
pub use look_alike::Skeleton;
pub use message_text::{MESSAGE_BYTES_MAX, MessageText, MessageTextError};
pub use notice::{NOTICE_BYTES_MAX, NOTICE_LINES_MAX, Notice, NoticeError};
pub use password::{NewPassword, PASSWORD_BYTES_MAX, PASSWORD_RULE, Password, PasswordError};
pub use reaction::{REACTION_BYTES_MAX, REACTION_GRAPHEMES_MAX, Reaction, ReactionError};
pub use room_name::{ROOM_NAME_CHARS_MAX, ROOM_TAG_ALPHABET, ROOM_TAG_CHARS, RoomName, RoomNameError};
pub use search_words::{SEARCH_BYTES_MAX, SEARCH_WORDS_MAX, SearchWords, SearchWordsError};
pub use time_span::{TIME_SPAN_SECONDS_MAX, TimeSpan, TimeSpanError};
pub use topic::{TOPIC_BYTES_MAX, Topic, TopicError};
pub use username::{NewUsername, USERNAME_BYTES_MAX, USERNAME_CHARS_MAX, Username, UsernameError};
