namespace DomainSsl.Audio.Decoding;

/// <summary>How samples are stored.</summary>
internal enum SampleKind
{
    /// <summary>Two's complement integers of 8 to 32 bits; 8-bit WAV is unsigned.</summary>
    Integer,

    /// <summary>IEEE 754 floats of 32 or 64 bits.</summary>
    Float,

    /// <summary>G.711 A-law, 8 bits.</summary>
    ALaw,

    /// <summary>G.711 μ-law, 8 bits.</summary>
    MuLaw,

    /// <summary>Compressed; ffmpeg's work.</summary>
    Compressed,
}

/// <summary>What a header says about uncompressed sound, checked against the file's length: where the samples lie and how they are stored.</summary>
/// <param name="Container">As in <see cref="SoundFormat"/>.</param>
/// <param name="Kind">How samples are stored.</param>
/// <param name="ContainerBits">Bits a sample takes in the file: 8, 16, 24, 32 or 64.</param>
/// <param name="BigEndian">Most significant byte first.</param>
/// <param name="SignedBytes">8-bit integers are signed (AIFF, AU) rather than offset by 128 (WAV).</param>
/// <param name="SampleRate">Frames a second, Hz.</param>
/// <param name="Channels">Channels.</param>
/// <param name="DataOffset">Position of the first sample in the file, bytes.</param>
/// <param name="Frames">Whole frames that the file holds.</param>
internal sealed record PcmLayout(
    string Container, SampleKind Kind, int ContainerBits, bool BigEndian, bool SignedBytes, int SampleRate, int Channels, long DataOffset, long Frames)
{
    /// <summary>Bytes a frame (all channels).</summary>
    public int BlockAlign => Channels * ContainerBits / 8;

    public double Seconds => (double)Frames / SampleRate;

    public SoundFormat Format => new(Container, Codec, SampleRate, Channels, Frames, Seconds);

    private string Codec => Kind switch
    {
        SampleKind.ALaw => "pcm_alaw",
        SampleKind.MuLaw => "pcm_mulaw",
        SampleKind.Float => $"pcm_f{ContainerBits}{Endianness}",
        _ when ContainerBits == 8 => SignedBytes ? "pcm_s8" : "pcm_u8",
        _ => $"pcm_s{ContainerBits}{Endianness}",
    };

    private string Endianness => BigEndian ? "be" : "le";
}
