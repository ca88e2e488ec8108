//! The texts that every model is asked.

/// Which probe set this is; another list of texts gets another number.
pub(super) const PROBE_SET: u32 = 1;

/// Empty, short and long, with what tokenizers stumble over; together few enough tokens to be asked at every load.
///
/// None reaches the limit of a common model: how texts are cut is the caller's choice.
pub(super) const PROBES: [&str; 12] = [
    "",
    "a",
    "A man is playing a guitar on stage.",
    "The tax report is due on 31 March 2026 at 17:30, 1.5% late fee.",
    "Übergrößenträger, naïve café, piñata: ÇA VA?",
    "今日は東京で音楽を聞く。",
    "他在舞台上弹吉他。",
    "한국어 문장",
    "مرحبا Привет",
    "great show!!! 🎸👩\u{200d}🚀 \u{fe0f}",
    "def add(a, b):\n\treturn a + b  # <s> [MASK]",
    "The ship left the harbour before dawn, and by the time the fog had lifted nobody on the pier could say \
     whether the light on the horizon was the lantern of the mate, a star that had stayed too long, or only \
     what they wished to see.",
];
