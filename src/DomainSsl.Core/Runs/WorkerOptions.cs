namespace DomainSsl.Core.Runs;

/// <summary>The section <c>Worker</c> of appsettings.json.</summary>
public sealed class WorkerOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Worker";

    /// <summary>Whether <c>serve</c> starts a worker and starts it again when it ends. Switch it off where the worker is a service of its own, or on another machine.</summary>
    /// <value>The default is <see langword="true"/>.</value>
    public bool AutoStart { get; set; } = true;
}
