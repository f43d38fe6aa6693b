namespace DomainSsl.Core.Runs;

/// <summary>A run in the hands of one worker. Every write of that worker names the token; once another has taken the run, such writes are refused.</summary>
/// <param name="RunId">The run.</param>
/// <param name="Token">What the row must still carry.</param>
public sealed record RunLease(string RunId, string Token);

/// <summary>What a worker learns when it renews its lease.</summary>
public enum LeaseState
{
    /// <summary>Go on.</summary>
    Held,
    /// <summary>Go on holding it, but stop: a person asked for it.</summary>
    CancelRequested,
    /// <summary>The run is another worker's now, or over: stop and write nothing more.</summary>
    Lost,
}

/// <summary>Where a worker is; null leaves what the row has.</summary>
/// <param name="Progress">Share done, 0–1; the row keeps the highest, since a run that is taken up again first repeats the steps since its checkpoint.</param>
/// <param name="Stage">What it is at, for people.</param>
/// <param name="SecondsLeft">Estimate of the seconds left.</param>
/// <param name="Device">What it runs on.</param>
/// <param name="Summary">Latest metrics as JSON.</param>
public sealed record RunReport(double? Progress = null, string? Stage = null, double? SecondsLeft = null, string? Device = null, string? Summary = null);

/// <summary>A worker wrote to a run that it no longer holds; nothing was written.</summary>
public sealed class LeaseLostException(string runId) : Exception($"The run {runId} has been taken up by another worker or has ended; nothing more is written to it from here.");
