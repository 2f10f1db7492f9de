//! Flags of the connection that say neither where nor who.

use super::super::case::{Case, asks, case, fails};
use super::super::differences::{DASHES, FLAG, PAST};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("--request-timeout in seconds").flags("--request-timeout=5").asks("tls token=$TOKEN"),
        case("--request-timeout with a unit").flags("--request-timeout 5s").asks("tls token=$TOKEN"),
        case("--request-timeout of hours").flags("--request-timeout=1h").asks("tls token=$TOKEN"),
        case("--request-timeout of several units").flags("--request-timeout=1m30s").asks("tls token=$TOKEN"),
        case("--request-timeout of nothing").flags("--request-timeout=0").asks("tls token=$TOKEN"),
        case("an empty --request-timeout").flag("--request-timeout=").asks("tls token=$TOKEN"),
        case("--request-timeout that is none").flags("--request-timeout=soon").fails("Invalid timeout value"),
        case("--request-timeout that is less than nothing").flags("--request-timeout=-5s").differs(
            PAST,
            asks("tls token=$TOKEN"),
            fails("is not a duration"),
        ),
        case("--request-timeout with a fraction")
            .flags("--request-timeout=1.5")
            .fails("Invalid timeout value"),
        case("--disable-compression").flags("--disable-compression").asks("tls token=$TOKEN"),
        case("--disable-compression=false").flags("--disable-compression=false").asks("tls token=$TOKEN"),
        case("--disable-compression of a word that is none")
            .flags("--disable-compression=maybe")
            .fails("invalid argument \"maybe\" for \"--disable-compression\""),
        case("disable-compression in the kubeconfig")
            .cluster("{$TRUSTED, disable-compression: true}")
            .asks("tls token=$TOKEN"),
        case("an unknown flag").flags("--no-such-flag").differs(
            FLAG,
            fails("unknown flag: --no-such-flag"),
            asks("tls token=$TOKEN"),
        ),
        case("what follows two dashes").flags("-- --token=$OTHER -n x").differs(
            DASHES,
            fails("configmaps \"--token=$OTHER\" not found"),
            asks("tls token=$TOKEN"),
        ),
    ]
}
