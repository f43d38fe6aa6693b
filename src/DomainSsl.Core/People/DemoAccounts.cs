using System.Text.Json;
using DomainSsl.Core.Storage;

namespace DomainSsl.Core.People;

/// <summary>An account of the demonstration.</summary>
/// <param name="Name">What to type.</param>
/// <param name="Role">Its role.</param>
/// <param name="Password">The password it was made with.</param>
public sealed record DemoAccount(string Name, string Role, string Password);

/// <summary>The demonstration's three accounts. Their passwords are made at the first start and kept in <c>keys/demo-accounts</c> (mode 0600), so that each start can print them.</summary>
public static class DemoAccounts
{
    private static readonly (string Name, string Role)[] Wanted = [("admin", Roles.Admin), ("clinician", Roles.Clinician), ("reviewer", Roles.Reviewer)];

    /// <summary>Makes what is missing and gives back all three; none where people of another origin have those names already.</summary>
    public static async Task<IReadOnlyList<DemoAccount>> EnsureAsync(Accounts accounts, DataFolder folder, CancellationToken cancel = default)
    {
        var path = Path.Combine(folder.Keys, "demo-accounts");
        var existing = (await accounts.ListAsync(cancel)).Select(p => p.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(path))
        {
            if (Wanted.Any(w => existing.Contains(w.Name))) return [];
            var made = Wanted.Select(w => new DemoAccount(w.Name, w.Role, Accounts.MadePassword())).ToArray();
            // The file first: a start that is cut off here goes on with the same passwords.
            var temporary = path + ".new";
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using (var stream = new FileStream(temporary, options))
            {
                await JsonSerializer.SerializeAsync(stream, made, cancellationToken: cancel);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path);
        }
        await using var kept = File.OpenRead(path);
        var all = await JsonSerializer.DeserializeAsync<DemoAccount[]>(kept, cancellationToken: cancel) ?? [];
        foreach (var account in all.Where(a => !existing.Contains(a.Name))) await accounts.AddAsync(account.Name, account.Password, account.Role, "system", cancel);
        return all;
    }
}
