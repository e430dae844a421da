//! Traits that are wrong and what is said of them, and unusual traits that are right.

#[test]
fn unusual_traits_compile_and_wrong_ones_say_why() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
