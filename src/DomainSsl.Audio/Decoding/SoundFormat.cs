namespace DomainSsl.Audio.Decoding;

/// <summary>What a file says of its sound.</summary>
/// <param name="Container">What the file is: <c>wav</c> (RIFF, RIFX and RF64), <c>aiff</c> (AIFF and AIFC), <c>au</c>, <c>mp3</c>, <c>flac</c>, <c>ogg</c>, <c>mov</c> (MP4, M4A, 3GP), <c>matroska</c>
/// (WebM) and so on.</param>
/// <param name="Codec">How samples are stored, in ffmpeg's words, e.g. <c>pcm_s16le</c>, <c>pcm_f32be</c>, <c>pcm_mulaw</c>, <c>mp3</c>, <c>opus</c>.</param>
/// <param name="SampleRate">Frames a second, Hz.</param>
/// <param name="Channels">Channels.</param>
/// <param name="Frames">Whole frames that the file holds; null where only decoding tells (compressed sound).</param>
/// <param name="AnnouncedSeconds">Length as the file says; null where it does not say.</param>
public sealed record SoundFormat(string Container, string Codec, int SampleRate, int Channels, long? Frames, double? AnnouncedSeconds)
{
    /// <summary>Length in seconds as far as it is known before decoding.</summary>
    public double? Seconds => Frames is { } frames ? (double)frames / SampleRate : AnnouncedSeconds;
}
