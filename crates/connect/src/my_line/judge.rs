//! The judgement of a server's questions while it lets us in (manual, "Authentication Phase").

use crate::protection::PeerTrust;
use crate::reach::SocketReach;

/// The first byte of a packet.
const OK: u8 = 0x00;
const MORE: u8 = 0x01;
const SWITCH: u8 = 0xfe;
const ERROR: u8 = 0xff;

/// The second byte of `caching_sha2_password`'s packets.
const KNOWN: u8 = 0x03;
const IN_FULL: u8 = 0x04;

/// The ways of signing in that give nothing away but an answer to a number of the server's.
const CHALLENGES: [&[u8]; 3] =
    [b"mysql_native_password", b"caching_sha2_password", b"client_ed25519"];

/// The shortest number that is one: what is answered twice alike is as good as a password.
const NONCE: usize = 20;

/// A packet that a server sends before it has let us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignInStep {
    /// The end: it lets us in, or says why not.
    End,
    /// It knows us, and lets us in with the next packet.
    Known,
    /// It wants an answer to this number.
    Answer(Vec<u8>),
    /// It wants more, or something else.
    More(MyDemand),
}

/// Something that not every server may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MyDemand {
    /// The password itself, by `caching_sha2_password`.
    Password,
    /// To sign in by a plugin that we don't know, or that reveals the password.
    Plugin(String),
    /// An answer to a number that is too short to be one.
    ShortNonce,
    /// Nothing that belongs here.
    Nonsense,
}

/// Reads a packet of the server's.
pub(super) fn step(packet: &[u8]) -> SignInStep {
    match packet {
        [OK | ERROR, ..] => SignInStep::End,
        [MORE, KNOWN] => SignInStep::Known,
        [MORE, IN_FULL] => SignInStep::More(MyDemand::Password),
        [SWITCH] => SignInStep::More(MyDemand::Plugin("mysql_old_password".to_owned())),
        [SWITCH, switch @ ..] => answer(switch),
        _ => SignInStep::More(MyDemand::Nonsense),
    }
}

/// Reads the name of a plugin and its number.
fn answer(switch: &[u8]) -> SignInStep {
    let (plugin, rest) = match switch.iter().position(|&byte| byte == 0) {
        Some(end) => (&switch[..end], &switch[end + 1..]),
        None => (switch, &switch[..0]),
    };
    let nonce = rest.strip_suffix(&[0]).unwrap_or(rest);
    if !CHALLENGES.contains(&plugin) {
        return SignInStep::More(MyDemand::Plugin(name(plugin)));
    }
    if nonce.len() < NONCE {
        return SignInStep::More(MyDemand::ShortNonce);
    }
    SignInStep::Answer(nonce.to_vec())
}

/// Makes the name of a plugin fit to be shown.
fn name(plugin: &[u8]) -> String {
    let shown = plugin.iter().map(|&byte| char::from(byte));
    shown.filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(64).collect()
}

/// The way in which the password itself is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PasswordSending {
    /// As it is, over what nobody else reads.
    Clear,
    /// Encrypted with the key in our settings.
    WithOurKey,
    /// Encrypted with the key that the server sends.
    WithItsKey,
    /// Not at all.
    Never,
}

/// Decides how the password itself may be sent to a peer.
pub(super) fn sending(
    reach: SocketReach,
    encrypted: bool,
    peer: PeerTrust,
    has_key: bool,
) -> PasswordSending {
    match (peer, encrypted || reach == SocketReach::UnixSocket) {
        (PeerTrust::Unverified, true) => PasswordSending::Never,
        (_, true) => PasswordSending::Clear,
        // Who holds that key is the server; what is encrypted with it nobody else can read.
        (_, false) if has_key => PasswordSending::WithOurKey,
        (PeerTrust::Unverified, false) => PasswordSending::Never,
        (_, false) => PasswordSending::WithItsKey,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &[u8] = &[7; 20];

    fn switch(plugin: &[u8], nonce: &[u8]) -> SignInStep {
        step(&[&[SWITCH], plugin, &[0], nonce, &[0]].concat())
    }

    #[test]
    fn challenges_are_answered() {
        for plugin in CHALLENGES {
            assert_eq!(switch(plugin, FULL), SignInStep::Answer(FULL.to_vec()));
        }
        assert_eq!(switch(b"client_ed25519", &[9; 32]), SignInStep::Answer(vec![9; 32]));
        assert_eq!(step(&[MORE, KNOWN]), SignInStep::Known);
        assert_eq!(step(&[OK, 0, 0, 2, 0, 0, 0]), SignInStep::End);
        assert_eq!(step(&[ERROR, 0x15, 4]), SignInStep::End);
    }

    #[test]
    fn whatever_reveals_a_password_is_told_from_them() {
        let plugin = |name: &str| SignInStep::More(MyDemand::Plugin(name.to_owned()));
        for name in ["mysql_clear_password", "sha256_password", "dialog", "mysql_old_password"] {
            assert_eq!(switch(name.as_bytes(), FULL), plugin(name));
        }
        assert_eq!(step(&[SWITCH]), plugin("mysql_old_password"));
        assert_eq!(switch(b"MYSQL_NATIVE_PASSWORD", FULL), plugin("MYSQL_NATIVE_PASSWORD"));
        assert_eq!(switch(b"", FULL), plugin(""));
        assert_eq!(step(&[MORE, IN_FULL]), SignInStep::More(MyDemand::Password));
    }

    #[test]
    fn a_number_that_could_come_again_is_not_answered() {
        for length in [0, 1, 8, 19] {
            let nonce = vec![7; length];
            assert_eq!(
                switch(b"mysql_native_password", &nonce),
                SignInStep::More(MyDemand::ShortNonce)
            );
        }
        let bare = [&[SWITCH][..], b"client_ed25519"].concat();
        assert_eq!(step(&bare), SignInStep::More(MyDemand::ShortNonce));
    }

    #[test]
    fn everything_else_is_nonsense() {
        for packet in [&[][..], &[MORE], &[MORE, 5], &[MORE, IN_FULL, 1], &[0xfb, b'/'], &[2]] {
            assert_eq!(step(packet), SignInStep::More(MyDemand::Nonsense), "{packet:?}");
        }
    }

    #[test]
    fn a_name_is_fit_to_be_shown() {
        let SignInStep::More(MyDemand::Plugin(shown)) = switch(b"\x1b]0;x\x07\xe2\x80\xae_a", FULL)
        else {
            panic!("it is a plugin");
        };
        assert_eq!(shown, "0x_a");
    }

    #[test]
    fn the_password_goes_only_where_nobody_else_reads_it() {
        use PeerTrust::{Local, Unverified, Verified};
        use SocketReach::{Loopback, Network, UnixSocket};
        let cases = [
            (UnixSocket, false, Local, false, PasswordSending::Clear),
            (UnixSocket, false, Local, true, PasswordSending::Clear),
            (Loopback, true, Local, false, PasswordSending::Clear),
            (Loopback, true, Verified, false, PasswordSending::Clear),
            (Loopback, false, Local, false, PasswordSending::WithItsKey),
            (Loopback, false, Local, true, PasswordSending::WithOurKey),
            (Network, true, Verified, false, PasswordSending::Clear),
            (Network, true, Unverified, false, PasswordSending::Never),
            (Network, true, Unverified, true, PasswordSending::Never),
            (Network, false, Unverified, false, PasswordSending::Never),
            (Network, false, Unverified, true, PasswordSending::WithOurKey),
        ];
        for (reach, encrypted, peer, has_key, expected) in cases {
            let found = sending(reach, encrypted, peer, has_key);
            assert_eq!(found, expected, "{reach:?} {encrypted} {peer:?} {has_key}");
        }
    }
}
