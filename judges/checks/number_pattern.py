"""The regular expression that finds numbers, and what only looks like one, in text with plain marks."""

import regex  # type: ignore[import-untyped]

SUPERSCRIPT = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
# The hyphen is the last, where it makes no range of a class.
MINUS = "\u2212\u2012\u2013-"
_SPACES = "\u00a0\u2007\u2008\u2009\u200a\u202f"
_APOSTROPHES = "'\u2018\u2019\u02bc"
_ARABIC_POINT, _ARABIC_GROUP, _ARABIC_COMMA = "\u066b\u066c\u060c"
THOUSANDS = {
    ".": f",_{_APOSTROPHES}{_SPACES}{_ARABIC_GROUP}",
    ",": f"._ {_APOSTROPHES}{_SPACES}{_ARABIC_GROUP}",
}
# Characters that stand between the digits of one number, or of one date, time, version or list that is no number.
_INNER = f".,_/:{_APOSTROPHES}{_SPACES}{_ARABIC_POINT}{_ARABIC_GROUP}{_ARABIC_COMMA}"
_NO_MORE = rf"(?! [{_INNER}]\d )"
_VULGAR = "\u00bc-\u00be\u2150-\u215e\u2189"
_LETTER = r"[\p{Latin}\p{Greek}\p{Cyrillic}]"
# ISO 4217, without the codes that stand before digits in names: COP28, NAD83, PHP8, TOP10.
_CURRENCIES = """
    AED AFN AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY CRC CVE
    CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK
    JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MYR MZN NGN NIO NOK NPR NZD OMR PAB PEN PGK PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SRD SSP
    STN SVC SYP SZL THB TJS TMT TND TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR
    ZMW ZWG RMB
"""
_CODE = rf"\b(?: {'|'.join(_CURRENCIES.split())} | Rs\.? )"

# A hyphen after a word or number is no minus: GPT-4, 3-5. A space follows a minus where nothing else can be meant.
_SIGN = rf"""(?: \+ | (?= [{MINUS}] ) (?: (?<! [\w)\]%.,] ) (?P<minus>[{MINUS}])
    | (?<! [\d)\]%}}] \s? ) (?P<minus> \u2212[\ {_SPACES}] ) | (?<= = \s? ) (?P<minus> [{MINUS}][\ {_SPACES}] ) ) )"""
# Digits right after a letter belong to a name (A4, H2O, GPT-4), except after the code of a currency.
_START = rf"(?: (?<! {_LETTER} | {_LETTER}- | \u215f | \d | \d[{_INNER}] ) | (?<= {_CODE} ) )"
_INTEGER = rf"[+{MINUS}]?\d++"

# LaTeX in braces, three deep.
_BRACED = r"\{[^{}]{0,500}+\}"
for _ in range(2):
    _BRACED = rf"\{{ (?: [^{{}}] | {_BRACED} ){{0,500}}+ \}}"
# Fractions, roots and pi, which are no number that is read here, and what they are divided by.
_FORMULA = rf"""(?: \\[cdt]?frac\b (?: \s*+ (?: {_BRACED} | \d ) ){{0,2}}+ | \\[cdt]?frac\d{{1,2}}+
    | (?: \\sqrt (?: \[[^\]]{{0,9}}+\] )?+ | [\u221a\u221b\u221c] ) \s*+ (?: {_BRACED} | \(?\d[\d.,]*+ )?+
    | (?: \u03c0 | \\?\bpi\b ) ) (?: \s?/\s?\d++ )?+"""
_CARET = rf"""\^ (?! \s?\{{?\s?\\circ\b ) \s?
    (?: {_BRACED} | \([^()]{{0,99}}+\) | {_FORMULA} | [\\{{]?[+{MINUS}]?[\p{{L}}\d]++ )"""
# What makes a number another one, or none, and can touch its end.
_ODD = rf"""(?: \s?{_CARET} | [\p{{No}}\p{{Nl}}] | \s?{_FORMULA} | pi\b | \s?[\u2030\u2031] | [eE][+{MINUS}]?\d\w*+
    | (?<= (?<!\d)0 )[xXbBoO][\da-fA-F]++ | [{_INNER}]\d++ )++"""


def number_pattern(decimal: str, thousands: str, *, spaced: bool) -> regex.Pattern:
    """Finds numbers; with ``spaced``, groups of digits between spaces are one number that is not clear.

    Of a clear one it has the groups ``whole``, ``fraction``, ``numerator``, ``denominator``, ``vulgar``, and ``minus``,
    ``power`` (of ten), ``exponent``, ``percent``. ``odd``: something makes it unclear; ``formula``: it is all unclear,
    and no number where it has no digit; ``name``: it is no number.
    """
    point, groups = rf"[{decimal}{_ARABIC_POINT}]", "".join(rf"\{c}" for c in thousands)
    grouped = rf"\d{{1,3}} (?P<s>[{groups}]) \d{{3}}(?!\d) (?: (?P=s) \d{{3}}(?!\d) )*+ |" if groups else ""
    # 12,34,567 as written in India.
    lakhs = r"\d{1,2} (?: ,\d{2}(?!\d) )++ ,\d{3}(?!\d) |" if "," in thousands else ""
    clear = rf"""
        (?<! \d\  ) (?P<numerator> (?!0\d)\d++ ) / (?P<denominator> (?!0\d)\d++ ) {_NO_MORE}
        | \\[cdt]?frac \s*+ \{{\s*+ (?P<numerator>\d++) \s*+\}} \s*+ \{{\s*+ (?P<denominator>\d++) \s*+\}}
        | (?P<whole> {grouped} {lakhs} \d++ )
          (?: (?P<vulgar>[{_VULGAR}]) | (?: {point}(?P<fraction>\d++) )?+ {_NO_MORE} )
        | (?<! [\w.,] ) {point}(?P<fraction>\d++) {_NO_MORE}
        | (?P<vulgar>[{_VULGAR}])"""
    return regex.compile(_around(clear, r"| \d{1,3} (?: \ \d{3}(?!\d) )++" if spaced else ""), regex.VERBOSE)


def _around(clear: str, spaced: str) -> str:
    """``clear`` with signs and powers. Before it what is several numbers: a date, ``3 1/2``; after it what is none."""
    times_ten = r"\s?(?: [\u00d7x*\u00b7] | \\times | \\cdot )\s?10"
    return rf"""
        (?= [\d\p{{Sc}}.,{_ARABIC_POINT}\u00b1\u2213\u221a-\u221c{_VULGAR}+{MINUS}] | [\^\u03c0p] | \\ [a-z] ) (?:
        (?: (?P<odd> [\u00b1\u2213] | \\pm | \\mp )\s? )?
        (?: {_SIGN} (?: {_CODE}\s? )? )? (?: \p{{Sc}}\s?{_SIGN}? )?
        {_START}
        (?: \d++ (?: [{MINUS}]\d++ ){{2,}}+ | \d++ [\ {_SPACES}-] (?: \d++ / \d++ | [{_VULGAR}] ) {spaced}
          | (?: {clear} )
            (?: [eE](?P<power>{_INTEGER})(?!\w) | {times_ten}{_raised("power")} )?+ (?: {_raised("exponent")} )?+
            (?P<odd>{_ODD})?+ (?P<percent> \s?(?: \\?% | per\ ?cent\b ) )?+
          | \d++ (?: [{_INNER}]\d++ )++ )
        | (?P<formula>{_FORMULA})
        | (?= \^ ) (?: (?<= \[ | {_LETTER}\}}?\s? ) (?P<name>{_CARET}) | (?P<formula>{_CARET}) ) )
    """


def _raised(name: str) -> str:
    return rf"""(?: \s?\^\s?(?: [{{(]\s?(?P<{name}>{_INTEGER})\s?[}})] | (?P<{name}>{_INTEGER}) )
        | \*\*(?P<{name}>{_INTEGER}) | (?P<{name}>\u207b?[{SUPERSCRIPT}]++) ) {_NO_MORE}"""
