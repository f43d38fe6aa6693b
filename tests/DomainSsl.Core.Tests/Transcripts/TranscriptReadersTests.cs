using DomainSsl.Core.Transcripts;
using Microsoft.Extensions.Time.Testing;

namespace DomainSsl.Core.Tests.Transcripts;

public sealed class TranscriptReadersTests
{
    [Fact]
    public void Readers_AreTheOthersWhoseOpenPageWasHeardOfLately()
    {
        var clock = new FakeTimeProvider();
        var readers = new TranscriptReaders(clock);
        readers.Here(1, "rita");
        readers.Here(1, "anna");
        readers.Here(2, "rita");
        Assert.Equal(["rita"], readers.Others(1, "anna"));
        Assert.Equal([1L, 2], readers.TakenFor("anna").Order());
        Assert.Equal([1L], readers.TakenFor("rita"));
        clock.Advance(TranscriptReaders.Lasts / 2);
        readers.Here(2, "rita");
        clock.Advance(TranscriptReaders.Lasts * 0.75);
        Assert.Empty(readers.Others(1, "anna")); // her page was closed
        Assert.Equal([2L], readers.TakenFor("anna"));
    }
}
