//! Converts the colours of a picture to sRGB, the colours of a page, so that its profile can go.
//!
//! A profile is a stranger's data as well: one that is broken, too large or made for other channels is ignored, and the
//! picture counts as sRGB, as browsers do it.

use std::sync::Arc;

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace,
    Layout, MatrixCoefficients, ParsingOptions, RenderingIntent, ToneReprCurve,
    TransferCharacteristics, TransformExecutor, TransformOptions, XyY,
};

use super::limits::MAX_METADATA;

/// The colours of a picture's numbers.
#[derive(Debug)]
pub(crate) enum Colours {
    Profile(Box<ColorProfile>),
    Srgb,
}

impl Colours {
    /// The colours of an ICC profile.
    pub(crate) fn of_icc(profile: Option<&[u8]>) -> Self {
        let limits = ParsingOptions {
            max_profile_size: MAX_METADATA,
            max_allowed_clut_size: MAX_METADATA,
            max_allowed_trc_size: 40_000,
        };
        profile
            .filter(|bytes| bytes.len() <= MAX_METADATA)
            .and_then(|bytes| ColorProfile::new_from_slice_with_options(bytes, limits).ok())
            .map_or(Self::Srgb, |profile| Self::Profile(Box::new(profile)))
    }

    /// The colours of a PNG, by the first of these chunks (PNG 3, 4.3): `cICP`, `iCCP`, `sRGB`, `gAMA` with or without
    /// `cHRM`. Code points of high dynamic range count as absent: no rule says how their light becomes that of a page.
    pub(crate) fn of_png(info: &png::Info<'_>) -> Self {
        if let Some(profile) = info.coding_independent_code_points.and_then(of_code_points) {
            return Self::Profile(Box::new(profile));
        }
        if info.icc_profile.is_some() {
            return Self::of_icc(info.icc_profile.as_deref());
        }
        match (info.srgb, info.gama_chunk) {
            (None, Some(gamma)) => of_gamma(gamma.into_value(), info.chrm_chunk)
                .map_or(Self::Srgb, |profile| Self::Profile(Box::new(profile))),
            (Some(_), _) | (None, None) => Self::Srgb,
        }
    }

    fn profile_of(&self, space: DataColorSpace) -> Option<&ColorProfile> {
        match self {
            Self::Profile(profile) if profile.color_space == space => Some(profile),
            Self::Profile(_) | Self::Srgb => None,
        }
    }

    /// The conversion of 8 bits a channel, unless the colours are those of sRGB already.
    pub(crate) fn rgb8(
        &self,
        layout: Layout,
    ) -> Option<Arc<dyn TransformExecutor<u8> + Send + Sync>> {
        let profile = self.profile_of(DataColorSpace::Rgb)?;
        if is_srgb(profile) {
            return None;
        }
        let to = ColorProfile::new_srgb();
        profile
            .create_transform_8bit(layout, &to, layout, options())
            .ok()
    }

    /// The conversion of 16 bits a channel.
    pub(crate) fn rgb16(
        &self,
        layout: Layout,
    ) -> Option<Arc<dyn TransformExecutor<u16> + Send + Sync>> {
        let profile = self.profile_of(DataColorSpace::Rgb)?;
        if is_srgb(profile) {
            return None;
        }
        let to = ColorProfile::new_srgb();
        profile
            .create_transform_16bit(layout, &to, layout, options())
            .ok()
    }

    /// The conversion of four inks to three lights.
    pub(crate) fn cmyk(&self) -> Option<Arc<dyn TransformExecutor<u8> + Send + Sync>> {
        let profile = self.profile_of(DataColorSpace::Cmyk)?;
        let to = ColorProfile::new_srgb();
        profile
            .create_transform_8bit(Layout::Rgba, &to, Layout::Rgb, options())
            .ok()
    }

    /// The grey of sRGB for every grey of 16 bits.
    pub(crate) fn grey(&self) -> Option<Vec<u16>> {
        let profile = self.profile_of(DataColorSpace::Gray)?;
        let to = ColorProfile::new_srgb();
        let transform = profile
            .create_transform_16bit(Layout::Gray, &to, Layout::Rgb, options())
            .ok()?;
        let from: Vec<u16> = (0..=u16::MAX).collect();
        let mut lights = vec![0; from.len() * 3];
        transform.transform(&from, &mut lights).ok()?;
        Some(
            lights
                .chunks_exact(3)
                .filter_map(|lights| lights.get(1).copied())
                .collect(),
        )
    }
}

fn options() -> TransformOptions {
    TransformOptions {
        rendering_intent: RenderingIntent::Perceptual,
        // A profile may name code points that are not those of its curves; programs for pictures use the curves.
        allow_use_cicp_transfer: false,
        ..TransformOptions::default()
    }
}

/// Whether the profile changes nothing: most profiles are those of sRGB, and to convert them costs time and roundings.
fn is_srgb(profile: &ColorProfile) -> bool {
    let to = ColorProfile::new_srgb();
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgb, &to, Layout::Rgb, options())
    else {
        return false;
    };
    let steps = [
        0, 1, 3, 8, 20, 40, 64, 90, 120, 150, 180, 205, 230, 248, 254, 255_u8,
    ];
    let mut colours = Vec::with_capacity(steps.len().pow(3) * 3);
    for red in steps {
        for green in steps {
            for blue in steps {
                colours.extend([red, green, blue]);
            }
        }
    }
    let mut converted = vec![0; colours.len()];
    transform.transform(&colours, &mut converted).is_ok()
        && colours
            .iter()
            .zip(&converted)
            .all(|(from, to)| from.abs_diff(*to) <= 1)
}

fn of_code_points(points: png::CodingIndependentCodePoints) -> Option<ColorProfile> {
    let primaries = CicpColorPrimaries::try_from(points.color_primaries).ok()?;
    let transfer = TransferCharacteristics::try_from(points.transfer_function).ok()?;
    let is_usual = points.matrix_coefficients == 0 && points.is_video_full_range_image;
    let is_high_range = matches!(
        transfer,
        TransferCharacteristics::Smpte2084 | TransferCharacteristics::Hlg
    );
    if !is_usual || is_high_range {
        return None;
    }
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: primaries,
        transfer_characteristics: transfer,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    profile.is_matrix_shaper().then_some(profile)
}

/// A gamma of 1/2.2 with the primaries of sRGB is what old programs wrote for sRGB.
fn of_gamma(gamma: f32, colours: Option<png::SourceChromaticities>) -> Option<ColorProfile> {
    if !(0.1..=10.0).contains(&gamma) {
        return None;
    }
    let is_usual_gamma = (gamma - 0.45455).abs() < 0.005;
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    match colours {
        Some(colours) => {
            let point = |(x, y): (png::ScaledFloat, png::ScaledFloat)| Chromaticity {
                x: x.into_value(),
                y: y.into_value(),
            };
            let (white, primaries) = (
                point(colours.white),
                ColorPrimaries {
                    red: point(colours.red),
                    green: point(colours.green),
                    blue: point(colours.blue),
                },
            );
            let near = |a: Chromaticity, x: f32, y: f32| {
                (a.x - x).abs() < 0.005 && (a.y - y).abs() < 0.005
            };
            let is_srgb = near(white, 0.3127, 0.329)
                && near(primaries.red, 0.64, 0.33)
                && near(primaries.green, 0.3, 0.6)
                && near(primaries.blue, 0.15, 0.06);
            if is_usual_gamma && is_srgb {
                return None;
            }
            let all = [white, primaries.red, primaries.green, primaries.blue];
            if !all
                .iter()
                .all(|point| point.y > 0.001 && point.x >= 0.0 && point.x <= 1.0 && point.y <= 1.0)
            {
                return None;
            }
            let white = XyY {
                x: white.x.into(),
                y: white.y.into(),
                yb: 1.0,
            };
            profile.update_rgb_colorimetry(white, primaries);
        }
        None if is_usual_gamma => return None,
        None => {}
    }
    let curve = ToneReprCurve::Parametric(vec![1.0 / gamma]);
    profile.red_trc = Some(curve.clone());
    profile.green_trc = Some(curve.clone());
    profile.blue_trc = Some(curve);
    Some(profile)
}
