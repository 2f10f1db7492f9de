//! Impersonation: in whose name to ask.

use super::super::case::{Case, asks, case, fails};
use super::super::differences::PROMPT;

const ALL: &str =
    "{token: $TOKEN, as: jane, as-uid: '7', as-groups: [devs], as-user-extra: {Scopes: [a], x/y: [c]}}";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("as").user("{token: $TOKEN, as: jane}").asks("tls token=$TOKEN as-user=jane"),
        case("all of it")
            .user(ALL)
            .asks("tls token=$TOKEN as-extra-scopes=a as-extra-x%2fy=c as-group=devs as-uid=7 as-user=jane"),
        case("a uid without as").user("{token: $TOKEN, as-uid: '7'}").fails("without impersonating a user"),
        case("groups without as")
            .user("{token: $TOKEN, as-groups: [devs]}")
            .fails("without impersonating a user"),
        case("extra without as")
            .user("{token: $TOKEN, as-user-extra: {a: [b]}}")
            .fails("without impersonating a user"),
        case("an empty as is none").user("{token: $TOKEN, as: ''}").asks("tls token=$TOKEN"),
        case("an empty as with groups")
            .user("{token: $TOKEN, as: '', as-groups: [devs]}")
            .fails("without impersonating a user"),
        case("an empty list of groups")
            .user("{token: $TOKEN, as: jane, as-groups: []}")
            .asks("tls token=$TOKEN as-user=jane"),
        case("several groups")
            .user("{token: $TOKEN, as: jane, as-groups: [devs, ops]}")
            .asks("tls token=$TOKEN as-group=devs as-group=ops as-user=jane"),
        case("an empty group")
            .user("{token: $TOKEN, as: jane, as-groups: ['']}")
            .asks("tls token=$TOKEN as-group= as-user=jane"),
        case("empty extra")
            .user("{token: $TOKEN, as: jane, as-user-extra: {a: [], b: null}}")
            .asks("tls token=$TOKEN as-user=jane"),
        case("several values of an extra")
            .user("{token: $TOKEN, as: jane, as-user-extra: {Scopes: [a, b]}}")
            .asks("tls token=$TOKEN as-extra-scopes=a as-extra-scopes=b as-user=jane"),
        case("a number for a uid")
            .user("{token: $TOKEN, as: jane, as-uid: 7}")
            .fails("cannot unmarshal number into Go struct field AuthInfo.users.user.as-uid"),
        case("a number for a group")
            .user("{token: $TOKEN, as: jane, as-groups: [7]}")
            .fails("cannot unmarshal number into Go struct field AuthInfo.users.user.as-groups"),
        case("null for a group")
            .user("{token: $TOKEN, as: jane, as-groups: [null]}")
            .asks("tls token=$TOKEN as-group= as-user=jane"),
        case("a text for the groups")
            .user("{token: $TOKEN, as: jane, as-groups: devs}")
            .fails("cannot unmarshal string into Go struct field AuthInfo.users.user.as-groups"),
        case("a text for an extra")
            .user("{token: $TOKEN, as: jane, as-user-extra: {a: b}}")
            .fails("cannot unmarshal string into Go struct field AuthInfo.users.user.as-user-extra"),
        case("the keys of extra in capitals and with other letters")
            .user("{token: $TOKEN, as: jane, as-user-extra: {ABC: [a], 'ü%': [b]}}")
            .asks("tls token=$TOKEN as-extra-%c3%bc%25=b as-extra-abc=a as-user=jane"),
        case("a name with other letters")
            .user("{token: $TOKEN, as: jäne}")
            .asks("tls token=$TOKEN as-user=jäne"),
        case("a name with a line's end")
            .user("{token: $TOKEN, as: \"jane\\nx: y\"}")
            .fails("net/http: invalid header field value for \"Impersonate-User\""),
        case("a name with blanks")
            .user("{token: $TOKEN, as: ' jane '}")
            .asks("tls token=$TOKEN as-user=jane"),
        case("as with a certificate").user("{$PAIR, as: jane}").asks("tls certificate=alice as-user=jane"),
        case("as without a credential")
            .user("{as: jane}")
            .differs(PROMPT, fails("EOF"), asks("tls as-user=jane")),
        case("as with a password")
            .user("{$LOGIN, as: root}")
            .asks("tls password=jane:$PASSWORD as-user=root"),
        case("--as").flags("--as jane").asks("tls token=$TOKEN as-user=jane"),
        case("--as of a service account")
            .flags("--as=system:serviceaccount:shop:robot")
            .asks("tls token=$TOKEN as-user=system:serviceaccount:shop:robot"),
        case("--as over another")
            .user("{token: $TOKEN, as: eve}")
            .flags("--as=jane")
            .asks("tls token=$TOKEN as-user=jane"),
        case("--as keeps the groups of the kubeconfig")
            .user(ALL)
            .flags("--as=eve")
            .asks("tls token=$TOKEN as-extra-scopes=a as-extra-x%2fy=c as-group=devs as-uid=7 as-user=eve"),
        case("an empty --as is none")
            .user("{token: $TOKEN, as: jane}")
            .flag("--as=")
            .asks("tls token=$TOKEN as-user=jane"),
        case("--as-group")
            .flags("--as=jane --as-group=devs --as-group ops")
            .asks("tls token=$TOKEN as-group=devs as-group=ops as-user=jane"),
        case("--as-group with a comma")
            .flags("--as=jane --as-group=devs,ops")
            .asks("tls token=$TOKEN as-group=devs,ops as-user=jane"),
        case("--as-group over the groups of the kubeconfig")
            .user(ALL)
            .flags("--as-group=more")
            .asks("tls token=$TOKEN as-extra-scopes=a as-extra-x%2fy=c as-group=more as-uid=7 as-user=jane"),
        case("--as-group without as").flags("--as-group=devs").fails("without impersonating a user"),
        case("an empty --as-group")
            .user(ALL)
            .flag("--as-group=")
            .asks("tls token=$TOKEN as-extra-scopes=a as-extra-x%2fy=c as-group= as-uid=7 as-user=jane"),
        case("--as-uid").flags("--as=jane --as-uid=8").asks("tls token=$TOKEN as-uid=8 as-user=jane"),
        case("--as-uid over another")
            .user(ALL)
            .flags("--as-uid 8")
            .asks("tls token=$TOKEN as-extra-scopes=a as-extra-x%2fy=c as-group=devs as-uid=8 as-user=jane"),
        case("--as-uid without as").flags("--as-uid=8").fails("without impersonating a user"),
        case("--as-user-extra")
            .flags("--as=jane --as-user-extra=scopes=a --as-user-extra=scopes=b --as-user-extra x=c")
            .asks("tls token=$TOKEN as-extra-scopes=a as-extra-scopes=b as-extra-x=c as-user=jane"),
        case("--as-user-extra over that of the kubeconfig")
            .user(ALL)
            .flags("--as-user-extra=Scopes=z")
            .asks("tls token=$TOKEN as-extra-scopes=z as-extra-x%2fy=c as-group=devs as-uid=7 as-user=jane"),
        case("--as-user-extra beside that of the kubeconfig")
            .user(ALL)
            .flags("--as-user-extra=more=z")
            .asks("tls token=$TOKEN as-extra-more=z as-extra-scopes=a as-extra-x%2fy=c as-group=devs as-uid=7 as-user=jane"),
        case("--as-user-extra without as")
            .flags("--as-user-extra=a=b")
            .fails("without impersonating a user"),
        case("--as-user-extra without a value")
            .flags("--as=jane --as-user-extra=a")
            .asks("tls token=$TOKEN as-user=jane"),
        case("--as-user-extra with two equals signs")
            .flags("--as=jane --as-user-extra=a=b=c")
            .asks("tls token=$TOKEN as-extra-a=b=c as-user=jane"),
        case("--as-user-extra with a comma")
            .flags("--as=jane --as-user-extra=a=b,c=d")
            .asks("tls token=$TOKEN as-extra-a=b,c=d as-user=jane"),
    ]
}
