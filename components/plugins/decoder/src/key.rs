//! Algorithms and keys, by the names that people use.

use x509_parser::der_parser::oid::Oid;
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Returns the algorithm and size of a public key.
pub(crate) fn describe(key: &SubjectPublicKeyInfo<'_>) -> String {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA, {} bits", bits(rsa.modulus)),
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            format!(
                "ECDSA, {}",
                curve.map_or_else(|| "a curve of its own".to_owned(), |curve| curve_name(&curve))
            )
        }
        Ok(PublicKey::DSA(y)) => format!("DSA, {} bits", bits(y)),
        Ok(_) => match key.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => "Ed25519, 256 bits".to_owned(),
            "1.3.101.113" => "Ed448, 456 bits".to_owned(),
            _ => name_of(&key.algorithm.algorithm),
        },
        Err(error) => format!("{}, cannot be read: {error}", name_of(&key.algorithm.algorithm)),
    }
}

/// Returns the short name of an algorithm, such as `sha256WithRSAEncryption`; its number where it has no
/// name.
pub(crate) fn name_of(oid: &Oid<'_>) -> String {
    let number = oid.to_id_string();
    match number.as_str() {
        // RFC 8410. The registry lacks them.
        "1.3.101.112" => "Ed25519".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        _ => oid2sn(oid, oid_registry()).map_or(number, str::to_owned),
    }
}

/// Returns the name of a curve, by SEC 2 and RFC 5480.
fn curve_name(curve: &Oid<'_>) -> String {
    let number = curve.to_id_string();
    match number.as_str() {
        "1.2.840.10045.3.1.7" => "P-256 (256 bits)".to_owned(),
        "1.3.132.0.33" => "P-224 (224 bits)".to_owned(),
        "1.3.132.0.34" => "P-384 (384 bits)".to_owned(),
        "1.3.132.0.35" => "P-521 (521 bits)".to_owned(),
        "1.3.132.0.10" => "secp256k1 (256 bits)".to_owned(),
        _ => format!("curve {number}"),
    }
}

/// Returns the length of a big-endian number: DER puts a zero before one whose first bit is set.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros).map_or(0, |first| (number.len() - zeros) * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::bits;

    #[test]
    fn a_number_is_as_long_as_its_first_bit() {
        assert_eq!(bits(&[0, 0x80, 0]), 16);
        assert_eq!(bits(&[0x80, 0]), 16);
        assert_eq!(bits(&[1, 0]), 9);
        assert_eq!(bits(&[0, 0]), 0);
    }
}
