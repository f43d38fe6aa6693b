using DomainSsl.Audio.VoiceActivity;

namespace DomainSsl.Core.Importing;

/// <summary>The network that finds speech: one a process, loaded when the first recording comes, since most processes never meet one.</summary>
public sealed class SpeechNetwork : IDisposable
{
    private readonly Lazy<SileroVad> _network = new(() => new SileroVad());

    /// <summary>The network; serves several imports at once.</summary>
    public SileroVad Get() => _network.Value;

    /// <inheritdoc />
    public void Dispose()
    {
        if (_network.IsValueCreated) _network.Value.Dispose();
    }
}
