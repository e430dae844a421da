//! The cases of the W3C's own test suite that concern values, limits, and what holds for all text.

use proptest::prelude::*;

use super::*;

const TRACE: u128 = 0x1234_5678_9012_3456_7890_1234_5678_9012;
const PARENT: u64 = 0x1234_5678_9012_3456;
const VALID: &str = "00-12345678901234567890123456789012-1234567890123456-01";

#[test]
fn a_traceparent_is_read_and_written() {
    let trace = TraceParent::parse(VALID).unwrap();
    assert_eq!((trace.trace_id(), trace.parent_id(), trace.is_sampled()), (TRACE, PARENT, true));
    assert_eq!(trace.to_string(), VALID);
    let unsampled = VALID.replace("-01", "-00");
    assert!(!TraceParent::parse(&unsampled).unwrap().is_sampled());
    assert_eq!(TraceParent::parse(&unsampled).unwrap().to_string(), unsampled);
}

#[test]
fn a_traceparent_that_is_malformed_is_none() {
    let malformed = [
        "",
        "00",
        // version_0x00: what trails
        "00-12345678901234567890123456789012-1234567890123456-01.",
        "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        "00-12345678901234567890123456789012-1234567890123456-01-",
        // version_0xcc: no dash after the flags
        "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
        // version_0xff
        "ff-12345678901234567890123456789012-1234567890123456-01",
        "ff-12345678901234567890123456789012-1234567890123456-01-more",
        // version: characters, length
        ".0-12345678901234567890123456789012-1234567890123456-01",
        "0.-12345678901234567890123456789012-1234567890123456-01",
        "000-12345678901234567890123456789012-1234567890123456-01",
        "0000-12345678901234567890123456789012-1234567890123456-01",
        "0-12345678901234567890123456789012-1234567890123456-01",
        // trace id: zero, characters, length
        "00-00000000000000000000000000000000-1234567890123456-01",
        "00-.2345678901234567890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901.-1234567890123456-01",
        "00-123456789012345678901234567890123-1234567890123456-01",
        "00-1234567890123456789012345678901-1234567890123456-01",
        "00-ABCDEF78901234567890123456789012-1234567890123456-01",
        // parent id: zero, characters, length
        "00-12345678901234567890123456789012-0000000000000000-01",
        "00-12345678901234567890123456789012-.234567890123456-01",
        "00-12345678901234567890123456789012-123456789012345.-01",
        "00-12345678901234567890123456789012-12345678901234567-01",
        "00-12345678901234567890123456789012-123456789012345-01",
        // flags: characters, length
        "00-12345678901234567890123456789012-1234567890123456-.0",
        "00-12345678901234567890123456789012-1234567890123456-0.",
        "00-12345678901234567890123456789012-1234567890123456-001",
        "00-12345678901234567890123456789012-1234567890123456-1",
        "00-12345678901234567890123456789012-1234567890123456-+1",
        // two in one, as HTTP joins repeated headers
        "00-12345678901234567890123456789012-1234567890123456-01,00-12345678901234567890123456789012-1234567890123456-01",
    ];
    for text in malformed {
        assert_eq!(TraceParent::parse(text), None, "{text}");
    }
}

#[test]
fn a_traceparent_of_a_later_version_is_read_and_white_space_around_one_skipped() {
    let known = TraceParent::parse(VALID);
    for text in [
        "cc-12345678901234567890123456789012-1234567890123456-01",
        "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        "01-12345678901234567890123456789012-1234567890123456-ff",
        " 00-12345678901234567890123456789012-1234567890123456-01",
        "\t 00-12345678901234567890123456789012-1234567890123456-01 \t",
    ] {
        assert_eq!(TraceParent::parse(text), known, "{text}");
    }
}

#[test]
fn a_tracestate_is_kept_as_it_came_without_white_space_and_empty_members() {
    let keys = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (' '..='~').filter(|char| !",=".contains(*char)).collect();
    for (text, kept) in [
        ("foo=1,bar=2", "foo=1,bar=2"),
        ("foo=1 \t , \t bar=2, \t baz=3", "foo=1,bar=2,baz=3"),
        ("foo=1\t \t,\t \tbar=2,\t \tbaz=3", "foo=1,bar=2,baz=3"),
        ("\t foo=1 \t", "foo=1"),
        (",,foo=1,", "foo=1"),
        ("1a@b=x", "1a@b=x"),
        (&format!("{keys}={value}"), &format!("{keys}={value}")),
        (&format!("{keys}@a-z0-9_-*/={value}"), &format!("{keys}@a-z0-9_-*/={value}")),
        (&format!("foo=1,{}=1", "z".repeat(256)), &format!("foo=1,{}=1", "z".repeat(256))),
        (
            &format!("{}@{}=1", "t".repeat(241), "v".repeat(14)),
            &format!("{}@{}=1", "t".repeat(241), "v".repeat(14)),
        ),
        (&format!("a={}", "v".repeat(256)), &format!("a={}", "v".repeat(256))),
    ] {
        assert_eq!(TraceState::parse(text).unwrap().as_str(), kept, "{text}");
    }
    assert_eq!(TraceState::parse("foo=1,bar= 2").unwrap().value("bar"), Some(" 2"));
}

#[test]
fn a_tracestate_with_a_fault_is_none() {
    for text in [
        "",
        " , ",
        "foo",
        "foo=1,foo=1",
        "foo=1,foo=2",
        "foo =1",
        "FOO=1",
        "foo.bar=1",
        "1foo=1",
        "foo@=1,bar=2",
        "@foo=1,bar=2",
        "foo@@bar=1,bar=2",
        "foo@bar@baz=1,bar=2",
        "foo=bar=baz",
        "foo=,bar=3",
        "foo=\u{7f}",
        "foo=a\tb",
        "foo=ü",
        &format!("foo=1,{}=1", "z".repeat(257)),
        &format!("foo=1,{}@v=1", "t".repeat(242)),
        &format!("foo=1,t@{}=1", "v".repeat(15)),
        &format!("foo={}", "v".repeat(257)),
    ] {
        assert_eq!(TraceState::parse(text), None, "{text}");
    }
}

fn numbered(members: usize) -> String {
    (1..=members).map(|number| format!("bar{number:02}={number:02}")).collect::<Vec<_>>().join(",")
}

#[test]
fn a_tracestate_has_32_members_and_512_characters_at_most() {
    assert_eq!(TraceState::parse(&numbered(32)).unwrap().as_str(), numbered(32));
    assert_eq!(TraceState::parse(&numbered(33)), None);
    let short = |key: char| format!("{key}={}", "v".repeat(98));
    let long = format!("long={}", "v".repeat(200));
    let five: Vec<String> = ('a'..='e').map(short).collect();
    // 5 × 100 and 4 commas fit; with a long member it is that one that goes; of six short ones, the last.
    assert_eq!(TraceState::parse(&five.join(",")).unwrap().as_str(), five.join(","));
    assert_eq!(TraceState::parse(&format!("{long},{}", five.join(","))).unwrap().as_str(), five.join(","));
    assert_eq!(
        TraceState::parse(&format!("{},{}", five.join(","), short('f'))).unwrap().as_str(),
        five.join(",")
    );
}

#[test]
fn baggage_keeps_members_that_are_well_formed() {
    for (text, kept) in [
        ("key1=value1,key2=value2", "key1=value1,key2=value2"),
        ("key1 = value1 ; p1 ; p2 = x , key2=", "key1 = value1 ; p1 ; p2 = x,key2="),
        (
            "userId=alice,serverNode=DF%2028,isProduction=false",
            "userId=alice,serverNode=DF%2028,isProduction=false",
        ),
        ("a=1,a=2", "a=1,a=2"),
        ("=1,a,b=2", "b=2"),
        ("a=\"1\",b=2", "b=2"),
        ("a=1;=x,b=2;p=\\", ""),
        ("ä=1,b=ü", ""),
        ("", ""),
    ] {
        assert_eq!(Baggage::parse(text).as_str(), kept, "{text}");
    }
    let baggage = Baggage::parse("a = x%20y%C3%BC;p=1, b=%zz%, c=%ff");
    let members: Vec<_> = baggage.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    assert_eq!(members, ["a:x yü", "b:%zz%", "c:\u{fffd}"]);
}

#[test]
fn baggage_has_64_members_and_8192_bytes_at_most() {
    let many = Baggage::parse(&(0..80).map(|number| format!("k{number}=v,")).collect::<String>());
    assert_eq!((many.len(), many.value("k63").is_some(), many.value("k64")), (64, true, None));
    let large = format!("a={},b={},c=1", "v".repeat(8_000), "v".repeat(200));
    assert_eq!(Baggage::parse(&large).iter().map(|(key, _)| key).collect::<Vec<_>>(), ["a", "c"]);
    let mut full = Baggage::parse(&format!("a={}", "v".repeat(8_190)));
    assert_eq!(full.as_str().len(), 8_192);
    assert!(!full.insert("b", "") && full.insert("a", "1") && full.insert("b", ""));
    assert_eq!(full.as_str(), "a=1,b=");
    assert!(!full.insert("no key", "1") && !full.insert("", "1"));
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        let _ = (TraceParent::parse(&text), TraceState::parse(&text));
        let _ = Baggage::parse(&text).iter().count();
    }

    #[test]
    fn nor_does_text_of_the_right_characters(text in "[0-9a-f,;=%@ \t-]{0,200}") {
        let _ = (TraceParent::parse(&text), TraceState::parse(&text));
        let baggage = Baggage::parse(&text);
        prop_assert_eq!(baggage.iter().count(), baggage.len());
    }

    #[test]
    fn a_traceparent_comes_back(trace in 1_u128.., parent in 1_u64.., sampled: bool) {
        let written = TraceParent::new(trace.try_into().unwrap(), parent.try_into().unwrap(), sampled);
        prop_assert_eq!(TraceParent::parse(&written.to_string()), Some(written));
    }

    #[test]
    fn a_tracestate_comes_back_and_keeps_within_its_limits(
        all in proptest::collection::btree_map("[a-z][a-z0-9_*/-]{0,40}", "[ -+--<>-~]{0,100}[!-+--<>-~]", 1..40),
    ) {
        let text = all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" , ");
        let state = TraceState::parse(&text);
        prop_assert_eq!(state.is_some(), all.len() <= 32);
        if let Some(state) = state {
            prop_assert!(state.as_str().len() <= 512);
            prop_assert_eq!(TraceState::parse(state.as_str()), Some(state));
        }
    }

    #[test]
    fn baggage_comes_back(all in proptest::collection::btree_map("[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,20}", any::<String>(), 0..20)) {
        let mut baggage = Baggage::new();
        let kept: Vec<_> = all.iter().filter(|(key, value)| baggage.insert(key, value)).collect();
        let read = Baggage::parse(baggage.as_str());
        prop_assert_eq!(&read, &baggage);
        for (key, value) in kept {
            let found = read.value(key);
            prop_assert_eq!(found.as_deref(), Some(value.as_str()));
        }
    }
}
