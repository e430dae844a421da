//! Line plots on logarithmic axes, as SVG by hand: a picture is a few texts and paths, and so a few KB.

use std::fmt::Write;

use crate::report::Spread;
use crate::work::Peer;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 64.0;
const PANEL_HEIGHT: f64 = 200.0;
const GAP: f64 = 20.0;
const BOTTOM: f64 = 84.0;
/// Has a ground of its own, so that it reads the same on light pages and on dark ones.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:14px;font-weight:600}.small{font-size:10px;fill:#59636e}\
.end{text-anchor:end}.mid{text-anchor:middle}.ground{fill:#fff}path{fill:none}.grid{stroke:#d8dde2}\
.line{stroke-width:2;stroke-linejoin:round}.bars{stroke-width:1;opacity:.7}.dots{stroke-width:6;stroke-linecap:round}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.ground{fill:#0d1117}.grid{stroke:#30363d}}";

/// A picture: panels above each other that share what they are drawn over.
pub struct Chart {
    pub title: String,
    /// Says what grows to the right.
    pub label: &'static str,
    /// The places that are marked on that axis. A 0, which has no logarithm, stands a little left of the rest.
    pub places: Vec<(usize, String)>,
    pub panels: Vec<Panel>,
    pub small_print: Vec<String>,
}

/// A metric of all peers.
pub struct Panel {
    pub label: &'static str,
    /// Says a value that is marked, with its unit where the label has none.
    pub mark: fn(f64) -> String,
    pub lines: Vec<Line>,
}

/// A peer's.
pub struct Line {
    pub peer: Peer,
    pub points: Vec<(usize, Spread)>,
}

/// Where a logarithm lies in the picture.
struct Scale {
    logs: [f64; 2],
    pixels: [f64; 2],
}

impl Scale {
    fn at(&self, log: f64) -> f64 {
        let share = (log - self.logs[0]) / (self.logs[1] - self.logs[0]);
        self.pixels[0] + share * (self.pixels[1] - self.pixels[0])
    }
}

impl Chart {
    /// Draws it.
    pub fn svg(&self) -> String {
        let bottom = TOP + self.panels.len() as f64 * (PANEL_HEIGHT + GAP) - GAP;
        let height = bottom + BOTTOM;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\">\n\
             <style>{STYLE}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n"
        );
        text(&mut svg, "title", [LEFT, 24.0], &self.title);
        self.legend(&mut svg);
        for (index, panel) in self.panels.iter().enumerate() {
            self.panel(&mut svg, panel, TOP + index as f64 * (PANEL_HEIGHT + GAP));
        }
        for (x, name) in &self.places {
            text(&mut svg, "mid", [self.across(*x), bottom + 16.0], name);
        }
        text(&mut svg, "mid", [LEFT.midpoint(WIDTH - RIGHT), bottom + 36.0], self.label);
        for (index, line) in self.small_print.iter().enumerate() {
            text(&mut svg, "small", [LEFT, bottom + 58.0 + 14.0 * index as f64], line);
        }
        svg + "</svg>\n"
    }

    fn legend(&self, svg: &mut String) {
        let mut x = LEFT;
        for Line { peer, .. } in self.panels.iter().take(1).flat_map(|panel| &panel.lines) {
            path(svg, "line", *peer, &format!("M{x:.0},44h22"));
            text(svg, "", [x + 28.0, 48.0], peer.name());
            x += 52.0 + 6.5 * peer.name().len() as f64;
        }
    }

    fn across(&self, x: usize) -> f64 {
        let log = |x: usize| (x as f64).log2();
        let places = || self.places.iter().map(|(x, _)| *x);
        let [first, last] = [places().filter(|x| *x > 0).min(), places().max()].map(|x| log(x.unwrap_or(1)));
        // As far as from 64 B to 1 KiB.
        let zero = first - 4.0;
        let start = if places().any(|x| x == 0) { zero } else { first };
        let scale = Scale { logs: [start, last], pixels: [LEFT + 16.0, WIDTH - RIGHT - 16.0] };
        scale.at(if x == 0 { zero } else { log(x) })
    }

    fn panel(&self, svg: &mut String, panel: &Panel, top: f64) {
        let bottom = top + PANEL_HEIGHT;
        let spreads = || panel.lines.iter().flat_map(|line| line.points.iter().map(|(_, spread)| spread));
        let least = spreads().map(|spread| spread.min).fold(f64::INFINITY, f64::min).log10();
        let most = spreads().map(|spread| spread.max).fold(f64::NEG_INFINITY, f64::max).log10();
        if !(least.is_finite() && most.is_finite()) {
            return;
        }
        let up = Scale { logs: [least - 0.1, most + 0.1], pixels: [bottom, top] };
        let mut grid = String::new();
        for value in marks(&up) {
            let y = up.at(value.log10());
            let _ = write!(grid, "M{LEFT},{y:.1}H{:.0}", WIDTH - RIGHT);
            text(svg, "end", [LEFT - 6.0, y + 4.0], &(panel.mark)(value));
        }
        for (x, _) in &self.places {
            let _ = write!(grid, "M{:.1},{top}V{bottom}", self.across(*x));
        }
        let _ = writeln!(svg, "<path class=\"grid\" d=\"{grid}\"/>");
        let middle = top + PANEL_HEIGHT / 2.0;
        let _ = writeln!(
            svg,
            "<text class=\"mid\" transform=\"translate(16,{middle}) rotate(-90)\">{}</text>",
            panel.label
        );
        // The last is drawn on top: the first peer.
        for Line { peer, points } in panel.lines.iter().rev() {
            let (mut line, mut bars, mut dots) = (String::new(), String::new(), String::new());
            for (x, spread) in points {
                let (x, [y, low, high]) = (
                    self.across(*x),
                    [spread.median, spread.min, spread.max].map(|value| up.at(value.log10())),
                );
                let _ = write!(line, "{}{x:.1},{y:.1}", if line.is_empty() { 'M' } else { 'L' });
                let _ = write!(bars, "M{x:.1},{low:.1}V{high:.1}");
                let _ = write!(dots, "M{x:.1},{y:.1}h0");
            }
            path(svg, "bars", *peer, &bars);
            path(svg, "line", *peer, &line);
            path(svg, "dots", *peer, &dots);
        }
    }
}

/// Returns what is marked on the way up: powers of ten, and where those are few also twice and five times them.
fn marks(scale: &Scale) -> Vec<f64> {
    let [least, most] = scale.logs;
    let factors: &[f64] = if most - least < 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = least.floor() as i32..=most.ceil() as i32;
    let values = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
    values.filter(|value| (least..=most).contains(&value.log10())).collect()
}

/// Says a count.
pub fn count(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.0} M", value / 1e6),
        value if value >= 1e3 => format!("{:.0} K", value / 1e3),
        value => short(value),
    }
}

/// Says a time in µs.
pub fn time(us: f64) -> String {
    match us {
        us if us >= 1e6 => format!("{:.0} s", us / 1e6),
        us if us >= 1e3 => format!("{:.0} ms", us / 1e3),
        us => short(us) + " µs",
    }
}

/// Says a number without what rounding has left of it.
fn short(value: f64) -> String {
    if value >= 1.0 { format!("{value:.0}") } else { format!("{value:.6}").trim_end_matches('0').to_owned() }
}

fn text(svg: &mut String, class: &str, [x, y]: [f64; 2], text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}

fn path(svg: &mut String, class: &str, peer: Peer, data: &str) {
    let _ = writeln!(svg, "<path class=\"{class}\" stroke=\"{}\" d=\"{data}\"/>", colour(peer));
}

/// Each stands out from white and from black.
fn colour(peer: Peer) -> &'static str {
    match peer {
        Peer::Farcall
        | Peer::FarcallTls
        | Peer::FarcallLayered
        | Peer::FarcallObserved
        | Peer::FarcallMetered => "#e8590c",
        Peer::Tarpc => "#3b82f6",
        Peer::Tonic => "#0ca678",
        Peer::GoNetRpc => "#9c5fd6",
        Peer::Raw => "#d6539a",
        Peer::RawPipelined => "#868e96",
    }
}
