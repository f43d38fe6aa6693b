namespace DomainSsl.Dicom.Codecs.Sandbox;

/// <summary>What a decoder is told of a frame; taken from its codestream, not from the data set.</summary>
/// <param name="Header">The codestream's own header.</param>
/// <param name="IsSigned">Pixel Representation.</param>
/// <param name="Photometric">The decoder's number of the photometric interpretation.</param>
internal readonly record struct CodecFrame(CodestreamHeader Header, bool IsSigned, int Photometric)
{
    public int SampleBytes => Header.Precision <= 8 ? 1 : 2;

    public long DecodedLength => (long)Header.Rows * Header.Columns * Header.Components * SampleBytes;
}
