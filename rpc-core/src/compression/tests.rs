//! Rules P20 to P22: what compressors do, and what no bytes can make them do.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const COMPRESSED: &str = include_str!("../../../tests/vectors/compressed.txt");
const MAX: u32 = 4 << 20;

fn text() -> Vec<u8> {
    b"Hello, Ada! ".repeat(8)
}

/// Takes the bytes of a vector.
fn vector(name: &str) -> Bytes {
    let lines = COMPRESSED.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let lines = lines.skip_while(|line| *line != format!("[{name}]")).skip(1);
    let bytes = lines.take_while(|line| !line.starts_with('[')).flat_map(str::split_whitespace);
    bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn vectors() -> impl Iterator<Item = &'static str> {
    COMPRESSED.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'))
}

fn agreed(compressor: Compressor) -> Agreed {
    Compression::new(compressor).min_bytes(0).agree(&[compressor.id()], MAX).unwrap()
}

#[track_caller]
fn refused(message: &[u8], bytes_max: u32) -> Status {
    unpack(&Bytes::copy_from_slice(message), Compressor::ALL, bytes_max).unwrap_err()
}

/// Rules P20 and P21.
#[test]
fn rule_p20_p21_messages_are_read_to_the_byte() {
    assert_eq!(unpack(&vector("plain"), &[], MAX).unwrap(), text());
    for compressor in Compressor::ALL {
        let name = compressor.name();
        assert_eq!(vector(name)[0], compressor.id(), "{name}");
        assert_eq!(unpack(&vector(name), Compressor::ALL, 96).unwrap(), text(), "{name}");
    }
}

#[test]
fn rule_p22_what_is_no_compressed_message_is_refused() {
    for name in vectors().filter(|name| name.starts_with("refused_")) {
        let is_known = |compressor: &&Compressor| name.contains(compressor.name());
        if name == "refused_empty" || Compressor::ALL.iter().any(|known| is_known(&known)) {
            assert_eq!(refused(&vector(name), MAX).code(), Code::InvalidArgument, "{name}");
        }
    }
    for compressor in Compressor::ALL {
        let whole = vector(compressor.name());
        for end in 1..whole.len() {
            assert_eq!(refused(&whole[..end], MAX).code(), Code::InvalidArgument, "{compressor:?} {end}");
        }
        let garbage = [&[compressor.id()][..], &text()].concat();
        assert_ne!(refused(&garbage, MAX).code(), Code::Unimplemented, "{compressor:?}");
    }
}

#[test]
fn rule_p22_the_limit_holds_for_what_is_inflated() {
    for compressor in Compressor::ALL {
        for bytes in [0, 1, 2, 1000, 16_384, 16_385, 100_000] {
            let message = vec![7; bytes as usize];
            let packed = [&[compressor.id()][..], &compressed(*compressor, &message)].concat().into();
            assert_eq!(unpack(&packed, Compressor::ALL, bytes).unwrap(), message, "{compressor:?} {bytes}");
            if bytes > 0 {
                let status = refused(&packed, bytes - 1);
                assert_eq!(status.code(), Code::ResourceExhausted, "{compressor:?} {bytes}");
                assert!(
                    status.message().contains(&format!("limit of {} (message_bytes)", bytes - 1)),
                    "{status}"
                );
            }
        }
    }
}

fn compressed(compressor: Compressor, message: &[u8]) -> Vec<u8> {
    compressor.compress(message, Vec::new()).unwrap()
}

#[test]
fn fault_14_memory_grows_with_what_is_inflated_and_not_beyond_twice_the_limit() {
    for compressor in Compressor::ALL {
        let bomb = compressed(*compressor, &vec![0; 3 << 20]);
        assert!(bomb.len() < 24 << 10, "{compressor:?}: {}", bomb.len());
        let fault = compressor.inflate(&bomb, 1 << 20);
        assert!(matches!(fault, Err(Fault::TooLong)), "{compressor:?}");
        let message = compressor.inflate(&bomb, 3 << 20).unwrap();
        assert_eq!(message.len(), 3 << 20);
        assert!(message.capacity() <= 2 * message.len(), "{compressor:?}");
        let small = compressor.inflate(&compressed(*compressor, &[0; 100]), 1 << 30).unwrap();
        assert!(small.capacity() <= 16 << 10, "{compressor:?}: {}", small.capacity());
    }
}

#[test]
fn fault_15_an_unknown_compressor_is_unimplemented_and_the_known_are_listed() {
    let status = unpack(&Bytes::from_static(b"\x4dabc"), Compressor::ALL, MAX).unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let names: Vec<_> = Compressor::ALL.iter().map(|known| known.name()).collect();
    let listed = format!("compressor 77 is not known here; known are {}", names.join(", "));
    assert_eq!(status.message(), listed);
    for compressor in Compressor::ALL {
        let status = unpack(&vector(compressor.name()), &[], MAX).unwrap_err();
        assert_eq!(status.message(), format!("compressor {} is not known here; none is", compressor.id()));
    }
}

#[test]
fn what_does_not_shrink_or_is_short_goes_as_it_is() {
    for compressor in Compressor::ALL {
        let compression = Compression::new(*compressor);
        let agreed = compression.agree(&[compressor.id()], MAX).unwrap();
        assert_eq!(agreed.compress(&[7; 1023]), None);
        let shorter = agreed.compress(&[7; 1024]).unwrap();
        assert!(shorter.len() < 100, "{compressor:?}");
        let mut random = fastbytes(10_000);
        assert_eq!(agreed.compress(&random), None, "{compressor:?}");
        assert_eq!(agreed.pack(&random)[0], 0);
        random.extend(vec![0; 10_000]);
        assert!(agreed.compress(&random).is_some());
        let over = compression.agree(&[compressor.id()], 5_000).unwrap();
        assert_eq!(over.compress(&[7; 5_001]), None, "what is over the peer's limit is refused as it is");
    }
}

/// Bytes without a pattern, the same each time.
fn fastbytes(count: usize) -> Vec<u8> {
    let next = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Some((*state >> 56) as u8)
    };
    let mut state = 7;
    std::iter::from_fn(|| next(&mut state)).take(count).collect()
}

#[test]
fn the_first_that_the_peer_knows_is_agreed_on() {
    let [first, second] = [Compressor::ALL[0], *Compressor::ALL.last().unwrap()];
    let compression = Compression::new(second).or(first);
    let by = |known: &[u8]| compression.agree(known, MAX).map(|agreed| agreed.compressor);
    assert_eq!(by(&[first.id(), second.id()]), Some(second));
    assert_eq!(by(&[first.id()]), Some(first));
    assert_eq!(by(&[77]), None);
    assert_eq!(by(&[]), None);
}

/// A frame of Zstandard that does not say how long it is, as a stream of unknown length is compressed.
#[cfg(feature = "zstd")]
#[test]
fn fault_14_a_frame_that_does_not_say_its_length_is_read_up_to_the_limit() {
    let zeros = std::io::Read::take(std::io::repeat(0), 8 << 20);
    let bomb = ::zstd::stream::encode_all(zeros, 3).unwrap();
    assert_eq!(::zstd::decompressed_size(&bomb), None);
    let fault = Compressor::Zstd.inflate(&bomb, 4 << 20).unwrap_err();
    assert!(matches!(fault, Fault::TooLong), "{fault:?}");
    assert_eq!(Compressor::Zstd.inflate(&bomb, 8 << 20).unwrap().len(), 8 << 20);
}

proptest! {
    #[test]
    fn a_message_comes_back(parts in vec((any::<u8>(), 0..2_000_usize), 0..20), noise in vec(any::<u8>(), 0..64)) {
        let runs = parts.into_iter().flat_map(|(byte, count)| vec![byte; count]);
        let message: Vec<u8> = runs.chain(noise).collect();
        for compressor in Compressor::ALL {
            let packed = agreed(*compressor).pack(&message);
            prop_assert_eq!(&unpack(&packed, Compressor::ALL, MAX).unwrap(), &message);
            prop_assert!(packed.len() <= message.len() + 1);
        }
    }

    #[test]
    fn random_bytes_are_a_message_or_a_status(bytes in vec(any::<u8>(), 0..300)) {
        for id in 0..=4 {
            let message = [&[id][..], &bytes].concat();
            if let Ok(message) = unpack(&message.into(), Compressor::ALL, 10_000) {
                prop_assert!(message.len() <= 10_000);
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_a_message_or_a_status(bit in 8..400_usize) {
        for compressor in Compressor::ALL {
            let mut bytes = vector(compressor.name()).to_vec();
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
                if let Ok(message) = unpack(&bytes.into(), Compressor::ALL, 10_000) {
                    prop_assert!(message.len() <= 10_000);
                }
            }
        }
    }
}
