//! Tokens, and users with passwords.

use super::super::case::{Case, asks, case, fails};
use super::super::differences::PROMPT;

/// Returns a case with a token in a file.
fn in_file(name: &'static str, text: &str) -> Case {
    case(name).user("{tokenFile: token}").file("token", text)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        in_file("a token in a file", "$TOKEN").asks("tls token=$TOKEN"),
        in_file("a token in a file, with a line's end", "$TOKEN\n").asks("tls token=$TOKEN"),
        in_file("a token in a file, with blanks around it", " \t$TOKEN \r\n\n").asks("tls token=$TOKEN"),
        in_file("a token in a file, and another line", "$TOKEN\nmore\n")
            .fails("net/http: invalid header field value for \"Authorization\""),
        in_file("an empty token file", "").fails("EOF"),
        in_file("a token file of blanks", "  \n")
            .fails("net/http: invalid header field value for \"Authorization\""),
        in_file("an empty token file beside a token", "")
            .user("{token: $TOKEN, tokenFile: token}")
            .asks("tls token=$TOKEN"),
        in_file("a token file over a token", "$OTHER")
            .user("{token: $TOKEN, tokenFile: token}")
            .asks("tls token=$OTHER"),
        case("a token file that is missing")
            .user("{tokenFile: absent}")
            .fails("open $DIR/absent: no such file or directory"),
        case("a token file that is missing, beside a token")
            .user("{token: $TOKEN, tokenFile: absent}")
            .asks("tls token=$TOKEN"),
        case("a token file that is a directory")
            .user("{tokenFile: home}")
            .fails("read $DIR/home: is a directory"),
        case("an empty token is none").user("{token: ''}").differs(PROMPT, fails("EOF"), asks("tls")),
        case("a token with blanks around it").user("{token: ' $TOKEN '}").asks("tls token= $TOKEN"),
        case("a token with a blank inside").user("{token: '$TOKEN more'}").asks("tls token=$TOKEN more"),
        case("a token with a line's end")
            .user("{token: \"$TOKEN\\n\"}")
            .fails("net/http: invalid header field value for \"Authorization\""),
        case("a token with a line's end inside")
            .user("{token: \"$TOKEN\\nmore\"}")
            .fails("net/http: invalid header field value for \"Authorization\""),
        case("a token with other letters").user("{token: tökén}").asks("tls token=tökén"),
        case("--token").user("{}").flags("--token $TOKEN").asks("tls token=$TOKEN"),
        case("--token over a token").user("{token: $OTHER}").flags("--token=$TOKEN").asks("tls token=$TOKEN"),
        in_file("--token over a token file", "$OTHER").flags("--token=$TOKEN").asks("tls token=$OTHER"),
        case("--token over a token file that is missing")
            .user("{tokenFile: absent}")
            .flags("--token=$TOKEN")
            .asks("tls token=$TOKEN"),
        case("--token beside a certificate")
            .user("{$PAIR}")
            .flags("--token=$TOKEN")
            .asks("tls certificate=alice token=$TOKEN"),
        case("--token over a password")
            .user("{$LOGIN}")
            .flags("--token=$TOKEN")
            .fails("more than one authentication method found for main"),
        case("an empty --token is none").flag("--token=").asks("tls token=$TOKEN"),
        case("the last --token wins").flags("--token=$OTHER --token=$TOKEN").asks("tls token=$TOKEN"),
        case("--token over plain HTTP").cluster("{server: '$PLAIN'}").flags("--token=$TOKEN").asks("plain"),
        case("a user with a password").user("{$LOGIN}").asks("tls password=jane:$PASSWORD"),
        case("a user without a password").user("{username: jane}").asks("tls password=jane:"),
        case("a password without a user").user("{password: $PASSWORD}").fails("EOF"),
        case("a user with a colon")
            .user("{username: 'ja:ne', password: $PASSWORD}")
            .asks("tls password=ja:ne:$PASSWORD"),
        case("a user with other letters")
            .user("{username: jäne, password: 'pässwörd'}")
            .asks("tls password=jäne:pässwörd"),
        case("a password that is a number")
            .user("{username: jane, password: 12345}")
            .fails("cannot unmarshal number into Go struct field AuthInfo.users.user.password"),
        case("a token and a password")
            .user("{token: $TOKEN, $LOGIN}")
            .fails("more than one authentication method found for main"),
        in_file("a token file and a password", "$TOKEN")
            .user("{tokenFile: token, $LOGIN}")
            .fails("username/password or bearer token may be set, but not both"),
        case("a token and a user without a password")
            .user("{token: $TOKEN, username: jane}")
            .fails("more than one authentication method found for main"),
        case("--username and --password")
            .user("{}")
            .flags("--username jane --password $PASSWORD")
            .asks("tls password=jane:$PASSWORD"),
        case("--username and --password over a token")
            .flags("--username=jane --password=$PASSWORD")
            .fails("more than one authentication method found for main"),
        case("--username and --password over a token file")
            .user("{tokenFile: absent}")
            .flags("--username=jane --password=$PASSWORD")
            .fails("open $DIR/absent: no such file or directory"),
        case("--username over another")
            .user("{username: eve, password: $PASSWORD}")
            .flags("--username=jane")
            .asks("tls password=jane:$PASSWORD"),
        case("--password over another")
            .user("{username: jane, password: old}")
            .flags("--password=$PASSWORD")
            .asks("tls password=jane:$PASSWORD"),
        case("--username and --password and --token")
            .user("{}")
            .flags("--username=jane --password=$PASSWORD --token=$TOKEN")
            .fails("more than one authentication method found for main"),
        case("--username alone")
            .flags("--username=jane")
            .fails("more than one authentication method found for main"),
        case("no credential").user("{}").differs(PROMPT, fails("EOF"), asks("tls")),
    ]
}
