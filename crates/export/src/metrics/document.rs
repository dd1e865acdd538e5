//! Metrics with their values, and their text.

use super::catalogue::{MetricSpec, MetricUnit};
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;

/// Metrics with their values, in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct MetricsDocument(Vec<MetricFamily>);

/// A metric and its values.
#[derive(Debug)]
struct MetricFamily {
    spec: &'static MetricSpec,
    samples: Vec<MetricSample>,
}

/// A value with its labels.
#[derive(Debug)]
struct MetricSample {
    labels: Vec<(&'static str, String)>,
    value: SampleValue,
}

/// The value of a metric; a count keeps all of its digits.
#[derive(Debug, Clone, Copy)]
pub(super) enum SampleValue {
    Count(u64),
    Time(Timestamp),
    Milliseconds(u64),
}

impl From<u64> for SampleValue {
    fn from(count: u64) -> SampleValue {
        SampleValue::Count(count)
    }
}

impl From<bool> for SampleValue {
    fn from(truth: bool) -> SampleValue {
        SampleValue::Count(u64::from(truth))
    }
}

impl From<Timestamp> for SampleValue {
    fn from(time: Timestamp) -> SampleValue {
        SampleValue::Time(time)
    }
}

impl MetricsDocument {
    /// Adds a value; `labels` are those of the metric in their order. A metric without a value is not written.
    pub(super) fn add(
        &mut self,
        spec: &'static MetricSpec,
        labels: &[&str],
        value: impl Into<SampleValue>,
    ) {
        debug_assert_eq!(spec.labels.len(), labels.len(), "{}", spec.stem);
        let labels = spec.labels.iter().zip(labels).map(|(name, text)| (*name, (*text).to_owned()));
        let sample = MetricSample { labels: labels.collect(), value: value.into() };
        match self.0.iter_mut().find(|family| family.spec == spec) {
            Some(family) => family.samples.push(sample),
            None => self.0.push(MetricFamily { spec, samples: vec![sample] }),
        }
    }

    /// Adds a value if there is one.
    pub(super) fn add_known(
        &mut self,
        spec: &'static MetricSpec,
        labels: &[&str],
        value: Option<impl Into<SampleValue>>,
    ) {
        if let Some(value) = value {
            self.add(spec, labels, value);
        }
    }

    /// Writes the text.
    pub(super) fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a String cannot fail");
        text
    }
}

impl Collector for MetricsDocument {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|family| family.encode(&mut encoder))
    }
}

impl MetricFamily {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let unit = match self.spec.unit {
            MetricUnit::Number => None,
            MetricUnit::Bytes => Some(Unit::Bytes),
            MetricUnit::Seconds => Some(Unit::Seconds),
        };
        let spec = self.spec;
        let mut family =
            encoder.encode_descriptor(spec.stem, spec.help, unit.as_ref(), MetricType::Gauge)?;
        for sample in &self.samples {
            let metric = family.encode_family(&sample.labels)?;
            match sample.value {
                SampleValue::Count(count) => ConstGauge::new(count).encode(metric)?,
                SampleValue::Time(time) => {
                    ConstGauge::new(time.as_duration().as_secs_f64()).encode(metric)?;
                }
                SampleValue::Milliseconds(millis) => {
                    let duration = std::time::Duration::from_millis(millis);
                    ConstGauge::new(duration.as_secs_f64()).encode(metric)?;
                }
            }
        }
        Ok(())
    }
}
