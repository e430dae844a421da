use metrics::{Unit, counter, describe_counter, gauge, histogram, with_local_recorder};

use super::*;

fn recorded(series_max: usize, record: impl FnOnce()) -> String {
    let registry = Registry::new(series_max);
    with_local_recorder(&registry, record);
    render(&registry)
}

#[test]
fn each_kind_is_written_as_prometheus_reads_it() {
    let text = recorded(100, || {
        describe_counter!("calls_total", Unit::Count, "Calls,\nall \\ of them.");
        counter!("calls_total", "method" => "b").increment(2);
        counter!("calls_total", "method" => "a", "code" => "OK").increment(1);
        counter!("calls_total", "code" => "OK", "method" => "a").absolute(7);
        gauge!("level").set(-0.5);
        gauge!("none").set(f64::NAN);
        histogram!("size_bytes", "method" => "a").record(300.0);
    });
    let expected = "# HELP calls_total Calls,\\nall \\\\ of them.\n\
        # TYPE calls_total counter\n\
        calls_total{code=\"OK\",method=\"a\"} 7\n\
        calls_total{method=\"b\"} 2\n\
        # TYPE level gauge\n\
        level -0.5\n\
        # TYPE none gauge\n\
        none NaN\n\
        # TYPE size_bytes histogram\n\
        size_bytes_bucket{method=\"a\",le=\"64\"} 0\n\
        size_bytes_bucket{method=\"a\",le=\"256\"} 0\n\
        size_bytes_bucket{method=\"a\",le=\"1024\"} 1\n";
    assert!(text.starts_with(expected), "{text}");
    let end = "size_bytes_bucket{method=\"a\",le=\"+Inf\"} 1\n\
        size_bytes_sum{method=\"a\"} 300\n\
        size_bytes_count{method=\"a\"} 1\n";
    assert!(text.contains(end), "{text}");
}

#[test]
fn names_and_labels_that_prometheus_does_not_take_are_made_such() {
    let text = recorded(100, || {
        counter!("7 lives.total", "a:b" => "says \"hi\"\n\\").increment(1);
    });
    assert!(text.contains("\n__lives_total{a_b=\"says \\\"hi\\\"\\n\\\\\"} 1\n"), "{text}");
}

#[test]
fn a_name_is_of_one_kind() {
    let text = recorded(100, || {
        counter!("both").increment(1);
        gauge!("both").set(5.0);
    });
    assert!(text.starts_with("# TYPE both counter\nboth 1\n# HELP farcall"), "{text}");
}

#[test]
fn what_is_above_the_limit_is_refused_and_counted() {
    let text = recorded(3, || {
        for number in 0..10 {
            counter!("calls_total", "number" => number.to_string()).increment(1);
            counter!("calls_total", "number" => "0").increment(1);
        }
    });
    assert_eq!(text.lines().filter(|line| line.starts_with("calls_total{")).count(), 3, "{text}");
    assert!(text.contains("calls_total{number=\"0\"} 11\n"), "{text}");
    assert!(text.contains("\nfarcall_prometheus_series 3\n"), "{text}");
    assert!(text.ends_with("\nfarcall_prometheus_series_refused_total 7\n"), "{text}");
}
