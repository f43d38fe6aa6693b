using System.Security.Cryptography;
using System.Text;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;

namespace DomainSsl.Worker;

/// <summary>
/// Keeps two processes from the same fits in <c>fits/</c>: a run whose process was killed is taken up by the server's worker while somebody asks for the same again. The second waits until the first is done, and then finds its
/// fits there.
/// </summary>
internal sealed class FitLocks : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private readonly List<InstanceLock> _held = [];

    /// <summary>Takes one lock for each of what fits depend on, told in full; waits where another process has one.</summary>
    /// <exception cref="OperationCanceledException">The run was stopped while it waited.</exception>
    public static async Task<FitLocks> TakeAsync(DataFolder folder, IEnumerable<string> dependences, RunContext context)
    {
        var fits = Path.Combine(folder.Root, "fits");
        Directory.CreateDirectory(fits);
        var (locks, said) = (new FitLocks(), false);
        try
        {
            // In one order for all, so that no two wait for each other.
            foreach (var name in dependences.Select(d => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(d)))[..16]).Distinct().Order(StringComparer.Ordinal))
            {
                InstanceLock? mine;
                while ((mine = InstanceLock.TryTake(Path.Combine(fits, $"{name}.lock"), TimeSpan.Zero)) is null)
                {
                    if (!said) context.Log("Another process is at the same fits; this run goes on when that is done, with what it has made.");
                    said = true;
                    context.Report(new RunReport(Stage: "Waiting for another process at the same fits"));
                    await Task.Delay(Look, context.Stop);
                }
                locks._held.Add(mine);
            }
            return locks;
        }
        catch
        {
            locks.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var held in _held) held.Dispose();
    }
}
