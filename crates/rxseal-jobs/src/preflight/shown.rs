//! A preflight as `rxseal job plan` prints it.

use std::fmt;
use std::time::Duration;

use super::{Estimate, Preflight, Replica};

/// The rates between which jobs were measured, in rows a second.
const RATES: [u64; 2] = [20_000, 100_000];

impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table)?;
        for concern in &self.concerns {
            writeln!(f, "  {:<8} {concern}", concern.weight().as_str())?;
        }
        if let Some(estimate) = &self.estimate {
            write!(f, "{estimate}")?;
        }
        for replica in &self.replicas {
            writeln!(f, "  replica  {replica}")?;
        }
        self.steps.as_ref().map_or(Ok(()), |steps| write!(f, "{steps}"))
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [slow, fast] = RATES.map(|rate| Time(self.time(rate)));
        writeln!(f, "  rows     {}", Grouped(self.rows()))?;
        writeln!(f, "  time     {fast} to {slow}, at {} to {} rows a second", Grouped(RATES[1]), Grouped(RATES[0]))?;
        let (size, growth, after) = (Size(self.size()), Size(self.growth()), Size(self.size_after()));
        let wal = Size(self.wal());
        if self.is_in_place() {
            writeln!(f, "  journal  {wal} in all")?;
            return writeln!(
                f,
                "  disk     the file is {size} now and {after} at the end: VACUUM needs as much beside it"
            );
        }
        writeln!(f, "  WAL      {wal}: every standby and every archive gets it too")?;
        writeln!(f, "  disk     {size} now, up to {growth} more until vacuum, {after} at the end")
    }
}

impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)?;
        if self.is_synchronous {
            f.write_str(", commits wait for it")?;
        }
        if let Some(bytes) = self.bytes_behind {
            write!(f, ", {} behind", Size(bytes))?;
        }
        if let Some(lag) = self.lag {
            write!(f, ", {:.1} s", lag.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Bytes, in the largest unit of which there is at least one.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("TB", 40_u32), ("GB", 30), ("MB", 20), ("kB", 10)];
        let unit = units.into_iter().find(|(_, bits)| self.0 >> bits > 0);
        let Some((unit, bits)) = unit else { return write!(f, "{} bytes", self.0) };
        let tenths = (self.0 >> bits.saturating_sub(10)).saturating_mul(10) >> 10;
        if tenths < 100 {
            write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
        } else {
            write!(f, "{} {unit}", tenths / 10)
        }
    }
}

struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds @ ..120 => write!(f, "{seconds} s"),
            seconds @ 120..7_200 => write!(f, "{} min", seconds.div_ceil(60)),
            seconds => write!(f, "{} h", seconds.div_ceil(3_600)),
        }
    }
}

/// A number with a comma between thousands.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut shown = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && digits.len().saturating_sub(at) % 3 == 0 {
                shown.push(',');
            }
            shown.push(digit);
        }
        f.write_str(&shown)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Grouped, Size, Time};
    use crate::preflight::{Concern, ConcernKind, Estimate, Preflight, Replica, Sizes};

    #[test]
    fn numbers_are_for_people() {
        let sizes = [0, 1_023, 1_024, 1_536, 73 << 30, u64::MAX].map(|bytes| Size(bytes).to_string());
        assert_eq!(sizes, ["0 bytes", "1023 bytes", "1.0 kB", "1.5 kB", "73 GB", "16777215 TB"]);
        let grouped = [0, 999, 1_000, 80_000_000].map(|number| Grouped(number).to_string());
        assert_eq!(grouped, ["0", "999", "1,000", "80,000,000"]);
        let times = [0, 119, 120, 7_199, 7_200].map(|seconds| Time(Duration::from_secs(seconds)).to_string());
        assert_eq!(times, ["0 s", "119 s", "2 min", "120 min", "2 h"]);
    }

    #[test]
    fn the_gravest_comes_first() {
        let mut preflight = Preflight::of("public.rx");
        for kind in [ConcernKind::Index, ConcernKind::Trigger, ConcernKind::NoKey, ConcernKind::NoKey] {
            preflight.add(Concern::of(kind));
        }
        let sizes = Sizes { rows: 80_000_000, old_row: 160.0, new_row: 540.0, table: 12 << 30, ..Sizes::default() };
        preflight.measured(Estimate::of(&sizes));
        preflight.sends_to(vec![Replica {
            name: "standby".to_owned(),
            is_synchronous: true,
            bytes_behind: Some(4_096),
            lag: Some(Duration::from_millis(1_250)),
        }]);
        let shown = preflight.sorted().to_string();
        let begins: Vec<_> = shown.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
        assert_eq!(
            begins[..4],
            ["public.rx", "  refuses  no-key", "  asks     trigger", "  advises  index"],
            "{shown}"
        );
        assert!(shown.contains("  time     14 min to 67 min, at 100,000 to 20,000 rows a second"), "{shown}");
        assert!(shown.ends_with("  replica  \"standby\", commits wait for it, 4.0 kB behind, 1.2 s\n"), "{shown}");
    }
}
