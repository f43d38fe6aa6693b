using System.Buffers.Binary;

namespace DomainSsl.Dicom;

/// <summary>
/// Text inside compressed pictures, which no DICOM viewer shows: comments and application segments of JPEG and JPEG-LS (ITU-T T.81 §B.2.4: EXIF, XMP and IPTC may name the patient) and comments of JPEG 2000
/// (ITU-T T.800 §A.9.2). They become zeros of the same length, so that nothing else in the stream moves and every pixel stays.
/// </summary>
internal static class StreamComments
{
    private const byte StartOfScan = 0xDA, EndOfImage = 0xD9, Comment = 0xFE, StartOfTilePart = 0x90, Comment2000 = 0x64;

    /// <summary>The fragments with such text blanked; those without any are the same ones.</summary>
    public static DicomFragments Blank(DicomFragments fragments)
    {
        var parts = new List<ReadOnlyMemory<byte>>(fragments.Parts.Count);
        // A frame's header may go on in the next fragment.
        var (header, jpeg2000, left, blank) = (false, false, 0, false);
        foreach (var part in fragments.Parts)
        {
            var span = part.Span;
            var at = 0;
            byte[]? copy = null;
            if (!header)
            {
                if (span.Length >= 4 && span[0] == 0xFF && span[1] is 0xD8 or 0x4F && span[2] == 0xFF) (header, jpeg2000, at, left) = (true, span[1] == 0x4F, 2, 0);
            }
            while (header && at < span.Length)
            {
                if (left > 0)
                {
                    var here = Math.Min(left, span.Length - at);
                    if (blank) (copy ??= part.ToArray()).AsSpan(at, here).Clear();
                    (at, left) = (at + here, left - here);
                    continue;
                }
                if (span.Length - at < 4 || span[at] != 0xFF || span[at + 1] is StartOfScan or EndOfImage || (jpeg2000 && span[at + 1] == StartOfTilePart))
                {
                    header = false;
                    break;
                }
                var marker = span[at + 1];
                // Fill bytes, and markers that stand alone.
                if (marker == 0xFF) { at++; continue; }
                if (!jpeg2000 && marker is 0x01 or >= 0xD0 and <= 0xD7) { at += 2; continue; }
                // Application segments that decoding needs: JFIF (0), colours of HP and JPEG-LS (8), Adobe's transform (14).
                blank = jpeg2000 ? marker == Comment2000 : marker is Comment or >= 0xE1 and <= 0xEF and not (0xE8 or 0xEE);
                left = BinaryPrimitives.ReadUInt16BigEndian(span[(at + 2)..]) - 2;
                at += 4;
            }
            parts.Add(copy ?? part);
        }
        return new DicomFragments(fragments.Offsets, parts);
    }
}
