//! Files that Dewar answers wrongly today. The tests print them, and fail when an answer becomes right.

/// A wrong answer, and why it stays for now.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) file: &'static str,
    pub(super) got: &'static str,
    pub(super) reason: &'static str,
}

const fn fault(file: &'static str, got: &'static str, reason: &'static str) -> Fault {
    Fault { file, got, reason }
}

/// Honest files that are refused.
#[rustfmt::skip]
pub(super) const REFUSED: &[Fault] = &[
    fault("csv/big5.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/cp1250.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/cp1251.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/cp1253.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/cp1256.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/cp437.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/euc-kr.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/excel-ansi-german.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/excel-unicode-text.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/gb18030.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/koi8-r.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/latin-1.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/latin-9.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/libreoffice-quoted-utf16.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/libreoffice-semicolon-1252.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/shift-jis.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/utf-16be-bom.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("csv/utf-32-bom.csv", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/big5.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/cp1251.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/cp850.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/cp866.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/euc-jp.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/euc-kr.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/gbk.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/hebrew.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/koi8-r.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/latin-1.text", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/libreoffice-utf16.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/mac-roman.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/notepad-ansi.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/notepad-big-endian.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/notepad-unicode.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/polish.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/recode-latin1.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/shift-jis.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/thai.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/turkish.txt", "refused: not_text", "texts are UTF-8 only"),
    fault("txt/iso-2022-jp.txt", "refused: control_character", "texts are UTF-8 only"),
    fault("jpeg/12000x8000.jpg", "refused: too_many_pixels", "a limit on one side, not on pixels"),
    fault("jpeg/8064x6048.jpg", "refused: too_many_pixels", "a limit on one side, not on pixels"),
    fault("jpeg/8160x6144.jpg", "refused: too_many_pixels", "a limit on one side, not on pixels"),
    fault("jpeg/panorama-16000x2000.jpg", "refused: too_many_pixels", "a limit on one side, not on pixels"),
    fault("jpeg/MVIMG_20260509_120000.jpg", "refused: trailing_data", "trailers of phones are not known"),
    fault("jpeg/PXL_20260509_120000000.MP.jpg", "refused: trailing_data", "trailers of phones are not known"),
    fault("jpeg/newline-at-end.jpg", "refused: trailing_data", "trailers of phones are not known"),
    fault("jpeg/phone-samsung-motion.jpg", "refused: trailing_data", "trailers of phones are not known"),
    fault("jpeg/phone-samsung-trailer.jpg", "refused: trailing_data", "trailers of phones are not known"),
    fault("png/apngasm.png", "refused: unknown_kind", "animations are another format to the recogniser"),
    fault("png/pillow-apng.png", "refused: unknown_kind", "animations are another format to the recogniser"),
];

/// Honest files that are taken under the name of another kind.
pub(super) const FOREIGN_NAMES: &[Fault] = &[];

/// Honest pictures that are not encoded again.
pub(super) const NOT_ENCODED: &[Fault] = &[];

/// Whether an honest file is refused under its own name.
pub(super) fn is_refused(file: &str) -> bool {
    REFUSED.iter().any(|fault| fault.file == file)
}
