//! Short signatures that are also words: every one of at most 12 printable bytes that the crate `file-format` 0.29 knows.

/// At the beginning of a file.
#[rustfmt::skip]
pub(super) const AT_THE_START: &[&str] = &[
    "<math", "<X3D", "<x3d", "#!/bin/bash", "#!/bin/tcsh", "#!/bin/ash", "#!/bin/csh", "#!/bin/ksh",
    "#!/bin/zsh", "#!/bin/sh", "<html", "<HTML", "<FictionBook", "//Maya ASCII", "<playlist", "d8:announce",
    "<COLLADA", "<collada", "<tileset", "BEGIN:VCARD", "info face=", "<mxfile", "connectix", "@ECHO OFF",
    "@echo off", "#usda 1.0", "WEBVTT", "/* XPM */", "<xliff", "<feed", "gimp xcf", "<?xml", "farbfeld",
    "vhdxfile", "<soap", "StuffIt!", "StuffIt?", "PXR-USDC", "<amf", "<ASX", "<asx", "BLENDER", "<xsl",
    "<gml", "<gpx", "<kml", "3dmodel", "#EXTM3U", "<MPD", "<rss", "<SVG", "<svg", "<map", "!<arch>",
    "(module", "ARROW1", "(DWF V", "GIF87a", "GIF89a", "solid ", "#!AMR", "BZ3v1", "flf2a", "DRACO",
    "%PDF-", "{\\rtf", "true", "8BPS", "PAR1", "icns", ".snd", "2BIT", "AC1.", "AC10", "AC2.", "MC0.",
    "ISc(", "MSCF", "0707", "SDPX", "XPDS", "xar!", "fLaC", "FLIF", "glTF", "Cr24", "IMPM", "bvx-", "bvx1",
    "bvx2", "bvxn", "LRZI", "LZIP", "VOX ", "ITSF", "DDS ", "3DMO", "MAC ", "MAR1", "MPCK", "MP+", "MThd",
    "NSO0", "PFS0", "OggS", "!BDN", "qoaf", "qoif", "RZIP", "MOVI", "DSD ", "hsqs", "wvpk", "wOFF", "wOF2",
    "XEX1", "XEX2", "XBEH", "PK00", "7kSt", "zPQ", "BZ0", "BZh", "AMV", "P7 ", "P1 ", "P4 ", "PF ", "Pf ",
    "P2 ", "P5 ", "P3 ", "P6 ", "SBx", "CWS", "FWS", "ZWS", "ZOO", "MZ", "ZM", "%!",
];

/// After this many bytes.
#[rustfmt::skip]
pub(super) const LATER: &[(usize, &str)] = &[
    (4, "ftypavif"), (4, "ftypavis"), (4, "ftypheic"), (4, "ftypheix"), (4, "ftyphevc"), (4, "ftyphevx"),
    (4, "ftypavic"), (4, "ftypheim"), (4, "ftypheis"), (4, "ftypmif1"), (4, "ftypavcs"), (4, "ftyphevm"),
    (4, "ftyphevs"), (4, "ftypmsf1"), (16, "ftypJP2 "), (16, "ftypjp2 "), (16, "ftypjpx "),
    (16, "ftypmjp2"), (16, "ftypjpm "), (60, "BOOKMOBI"), (4, "ftypARRI"), (4, "ftypFACE"), (4, "ftypMSNV"),
    (4, "ftypNDAS"), (4, "ftypNDSC"), (4, "ftypNDSH"), (4, "ftypNDSM"), (4, "ftypNDSP"), (4, "ftypNDSS"),
    (4, "ftypNDXC"), (4, "ftypNDXH"), (4, "ftypNDXM"), (4, "ftypNDXP"), (4, "ftypNDXS"), (4, "ftypXAVC"),
    (4, "ftypavc1"), (4, "ftypdash"), (4, "ftypiso2"), (4, "ftypiso3"), (4, "ftypiso4"), (4, "ftypiso5"),
    (4, "ftypiso6"), (4, "ftypisom"), (4, "ftypmmp4"), (4, "ftypmobi"), (4, "ftypmp21"), (4, "ftypmp41"),
    (4, "ftypmp42"), (4, "ftypmp4v"), (4, "ftypmp71"), (4, "ftypnvr1"), (4, "ftypKDDI"), (4, "ftyp3g2"),
    (7, "**ACE**"), (4, "ftypM4A"), (4, "ftypM4B"), (4, "ftypM4P"), (4, "ftypM4V"), (4, "ftypcrx"),
    (1, "C4DC4D6"), (4, "ftypF4A"), (4, "ftypf4a"), (4, "ftypF4B"), (4, "ftypf4b"), (4, "ftypF4P"),
    (4, "ftypf4p"), (4, "ftypF4V"), (4, "ftypf4v"), (4, "ftypmqt"), (4, "ftyp3ge"), (4, "ftyp3gf"),
    (4, "ftyp3gg"), (4, "ftyp3gh"), (4, "ftyp3gm"), (4, "ftyp3gp"), (4, "ftyp3gr"), (4, "ftyp3gs"),
    (4, "ftyp3gt"), (4, "ftypqt"), (4, "free"), (4, "mdat"), (4, "moov"), (4, "skip"), (4, "wide"),
    (2, "-lz2-"), (2, "-lz3-"), (2, "-lz4-"), (2, "-lz5-"), (2, "-lz7-"), (2, "-lz8-"), (2, "-lzs-"),
    (2, "-lh0-"), (2, "-lh1-"), (2, "-lh2-"), (2, "-lh3-"), (2, "-lh4-"), (2, "-lh5-"), (2, "-lh6-"),
    (2, "-lh7-"), (2, "-lh8-"), (2, "-lhd-"), (2, "-pc1-"), (2, "-pm0-"), (2, "-pm1-"), (2, "-pm2-"),
    (2, "-pms-"), (8, ".FIT"), (36, "acsp"), (44, "SCRM"),
];
