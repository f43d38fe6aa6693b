namespace DomainSsl.Worker.Tests;

/// <summary>An encoder of sound that is there in seconds, for tests to which it does not matter how it was pretrained.</summary>
internal static class TinyEncoder
{
    /// <summary>What <c>pretrain</c> is told.</summary>
    public static readonly string[] Options =
    [
        "--recipe", "hubert-small", "--set", "data.batch=8", "--set", "data.seconds=1", "--set", "encoder.width=32", "--set", "encoder.depth=2", "--set", "encoder.bands=32", "--set", "objective.compareWidth=16", "--set", "objective.clusterFrames=120",
        "--set", """objective.rounds=[{"from":0,"clusters":6}]""", "--set", "precision=float32", "--steps", "4", "--name", "Tiny", "--here",
    ];
}
