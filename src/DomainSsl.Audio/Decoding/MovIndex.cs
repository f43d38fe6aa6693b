using System.Buffers.Binary;

namespace DomainSsl.Audio.Decoding;

/// <summary>Where an MP4 or QuickTime file (ISO 14496-12 §4.2) has its index: a pipe can only be decoded where it stands before the sound.</summary>
/// <param name="IsLast">The index (<c>moov</c>) stands behind the sound (<c>mdat</c>).</param>
/// <param name="CutOff">The last box announces more than the file holds.</param>
internal readonly record struct MovIndex(bool IsLast, bool CutOff)
{
    private const int MaxBoxes = 100_000;      // four hours in fragments of a second are 30,000

    /// <summary>Walks the outer boxes only.</summary>
    /// <exception cref="AudioException">There is no index.</exception>
    public static MovIndex Find(Stream stream, long length)
    {
        bool sound = false, index = false, last = false, cut = false;
        Span<byte> head = stackalloc byte[16];
        long at = 0;
        for (int boxes = 0; at + 8 <= length; boxes++)
        {
            if (boxes == MaxBoxes) throw new AudioException(AudioError.Header, "The MP4 file consists of very many tiny parts and is not a recording; export it again.");
            stream.Position = at;
            int read = stream.ReadAtLeast(head, 16, throwOnEndOfStream: false);
            if (read < 8) break;
            long size = BinaryPrimitives.ReadUInt32BigEndian(head);
            if (size == 1) size = read == 16 ? (long)Math.Min(BinaryPrimitives.ReadUInt64BigEndian(head[8..]), long.MaxValue / 2) : 0;
            else if (size == 0) size = length - at;
            if (size < 8) break;
            switch (ChunkReader.FourLetters(head[4..]))
            {
                case "mdat":
                    sound = true;
                    break;
                case "moov":
                    index = true;
                    last = sound;
                    break;
            }
            cut = size > length - at;
            at += Math.Min(size, length - at);
            if (index && sound && !last && !cut) break;
        }
        if (!index) throw new AudioException(AudioError.Truncated, "The MP4 file was cut off before its index; copy or export it again.");
        return new MovIndex(last, cut);
    }
}
