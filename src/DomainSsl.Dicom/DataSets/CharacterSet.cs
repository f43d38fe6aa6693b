using System.Text;

namespace DomainSsl.Dicom;

/// <summary>
/// Specific Character Set (0008,0005): how the bytes of local text become characters (PS3.3 §C.12.1.1.2, PS3.5 §6.1). Single-byte sets, UTF-8, GB 18030 and, with
/// ISO 2022 escapes, Japanese, Korean and Chinese. Bytes that fit nothing become U+FFFD; text is never a reason to refuse a file.
/// </summary>
public sealed class CharacterSet
{
    /// <summary>ISO_IR 6, plain ASCII; higher bytes, which are an error that scanners make, are read as Latin-1.</summary>
    public static readonly CharacterSet Default = new(Encoding.Latin1, false);

    private readonly Encoding _first;
    private readonly bool _switches;

    private CharacterSet(Encoding first, bool switches) => (_first, _switches) = (first, switches);

    static CharacterSet() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>The set that the value of (0008,0005) names; an unknown name is read as <see cref="Default"/>.</summary>
    public static CharacterSet Of(string value)
    {
        var terms = value.Split('\\', StringSplitOptions.TrimEntries);
        var first = Normalise(terms[0]);
        var encoding = first switch
        {
            "192" => Encoding.UTF8,
            "GB18030" or "GBK" => Encoding.GetEncoding(54936),
            _ => Single(first) ?? Encoding.Latin1,
        };
        return new CharacterSet(encoding, terms.Length > 1 || terms[0].Contains("2022", StringComparison.Ordinal));
    }

    /// <summary>Characters of a value; escapes return to the first set at the ends that PS3.5 §6.1.2.5.3 lists.</summary>
    public string Decode(ReadOnlySpan<byte> bytes, DicomVr vr)
    {
        const byte escape = 0x1B;
        if (!_switches || bytes.IndexOf(escape) < 0) return _first.GetString(bytes);
        var text = new StringBuilder();
        var (high, start) = (_first, 0);
        Encoding? low = null; // a set designated to G0 other than ASCII: 94×94 sets are decoded with the high bit added
        for (var i = 0; i <= bytes.Length; i++)
        {
            var ends = i < bytes.Length && low is null && (bytes[i] is (byte)'\r' or (byte)'\n' or (byte)'\f' or (byte)'\t'
                || (!vr.IsSingleText() && bytes[i] == (byte)'\\') || (vr == DicomVr.PN && bytes[i] is (byte)'^' or (byte)'='));
            if (i < bytes.Length && bytes[i] != escape && !ends) continue;
            Append(bytes[start..i]);
            start = i;
            if (ends)
            {
                // The separator itself is ASCII and is left for the next stretch.
                high = _first;
                continue;
            }
            if (i + 2 >= bytes.Length) { start = Math.Min(bytes.Length, i); if (i >= bytes.Length) break; start = bytes.Length; break; }
            var (a, b, c) = (bytes[i + 1], bytes[i + 2], i + 3 < bytes.Length ? bytes[i + 3] : (byte)0);
            var length = 3;
            switch ((char)a, (char)b)
            {
                case ('(', 'B') or ('(', 'J'): low = null; break;
                case ('$', 'B') or ('$', '@'): low = Japanese; break;
                case ('$', '(') when c == 'D': low = JapaneseSupplement; length = 4; break;
                case ('$', ')') when c == 'C': high = Korean; length = 4; break;
                case ('$', ')') when c == 'A': high = Chinese; length = 4; break;
                case (')', 'I'): high = Katakana; break;
                case ('-', _) when Designated((char)b) is { } single: high = single; break;
                default: break;
            }
            start = i + length;
            i += length - 1;
        }
        return text.ToString();

        void Append(ReadOnlySpan<byte> stretch)
        {
            if (stretch.IsEmpty) return;
            if (low is null) { text.Append(high.GetString(stretch)); return; }
            var lifted = new byte[stretch.Length];
            for (var k = 0; k < lifted.Length; k++) lifted[k] = stretch[k] < 0x21 ? stretch[k] : (byte)(stretch[k] | 0x80);
            if (low == JapaneseSupplement)
            {
                // EUC-JP marks each character of the supplementary set with 0x8F.
                var marked = new List<byte>();
                for (var k = 0; k + 1 < lifted.Length; k += 2) marked.AddRange([0x8F, lifted[k], lifted[k + 1]]);
                lifted = [.. marked];
            }
            text.Append(low.GetString(lifted));
        }
    }

    /// <summary>Bytes of a text in the first set; characters it lacks become question marks.</summary>
    public byte[] Encode(string text) => _first.GetBytes(text);

    private static string Normalise(string term) => term.Replace("ISO_IR", "", StringComparison.Ordinal).Replace("ISO 2022 IR", "", StringComparison.Ordinal)
        .Replace("ISO2022 IR", "", StringComparison.Ordinal).Replace("ISO IR", "", StringComparison.Ordinal).Trim(' ', '_', '-', '\0');

    private static Encoding? Single(string number) => number switch
    {
        "100" => Encoding.Latin1,
        "101" => Encoding.GetEncoding(28592),
        "109" => Encoding.GetEncoding(28593),
        "110" => Encoding.GetEncoding(28594),
        "144" => Encoding.GetEncoding(28595),
        "127" => Encoding.GetEncoding(28596),
        "126" => Encoding.GetEncoding(28597),
        "138" => Encoding.GetEncoding(28598),
        "148" => Encoding.GetEncoding(28599),
        "203" => Encoding.GetEncoding(28605),
        "166" => Encoding.GetEncoding(874),
        "13" => Katakana,
        _ => null,
    };

    // ESC 2D F designates a 96-character right half (PS3.3 table C.12-3).
    private static Encoding? Designated(char final) => Single(final switch
    {
        'A' => "100",
        'B' => "101",
        'C' => "109",
        'D' => "110",
        'L' => "144",
        'G' => "127",
        'F' => "126",
        'H' => "138",
        'M' => "148",
        'b' => "203",
        'T' => "166",
        _ => "",
    });

    private static readonly Lazy<Encoding> LazyJapanese = new(() => Encoding.GetEncoding(51932)), LazySupplement = new(() => Encoding.GetEncoding(20932)),
        LazyKorean = new(() => Encoding.GetEncoding(51949)), LazyChinese = new(() => Encoding.GetEncoding(936)), LazyKatakana = new(() => Encoding.GetEncoding(932));
    private static Encoding Japanese => LazyJapanese.Value;
    private static Encoding JapaneseSupplement => LazySupplement.Value;
    private static Encoding Korean => LazyKorean.Value;
    private static Encoding Chinese => LazyChinese.Value;
    private static Encoding Katakana => LazyKatakana.Value;
}
