using System.Security.Cryptography;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core.People;

/// <summary>A person as the people page and <c>users list</c> show them.</summary>
/// <param name="Name">What they type to sign in.</param>
/// <param name="Role">Admin, Clinician or Reviewer.</param>
/// <param name="Disabled">May no longer sign in.</param>
/// <param name="LockedUntil">Rests after too many wrong passwords, until then (UTC).</param>
/// <param name="CreatedAt">When the account was made (UTC).</param>
/// <param name="LastSignInAt">Last sign-in (UTC).</param>
public sealed record Person(string Name, string Role, bool Disabled, DateTime? LockedUntil, DateTime CreatedAt, DateTime? LastSignInAt);

/// <summary>
/// The people who may sign in: made, given a new password, disabled, enabled. Each deed and its audit entry are one transaction. An account is never removed, since labels and audit name it,
/// and the last administrator who can sign in stays one.
/// </summary>
public sealed class Accounts(IServiceScopeFactory scopes, AuditLog audit, TimeProvider time)
{
    // Without letters and digits that are taken for one another when read from a screen.
    private const string PasswordLetters = "abcdefghjkmnpqrstuvwxyz23456789";

    /// <summary>Makes the three roles where they are missing.</summary>
    public async Task EnsureRolesAsync(CancellationToken cancel = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var roles = scope.ServiceProvider.GetRequiredService<RoleManager<IdentityRole>>();
        var db = scope.ServiceProvider.GetRequiredService<DomainSslContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        foreach (var role in Roles.All)
            if (!await roles.RoleExistsAsync(role)) Check(await roles.CreateAsync(new IdentityRole(role)));
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Whether anybody has an account; a site without anybody asks for its first administrator.</summary>
    public async Task<bool> AnyAsync(CancellationToken cancel = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<DomainSslContext>().Users.AnyAsync(cancel);
    }

    /// <summary>Everybody, by name.</summary>
    public async Task<IReadOnlyList<Person>> ListAsync(CancellationToken cancel = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DomainSslContext>();
        var now = time.GetUtcNow();
        var rows = await (from user in db.Users.AsNoTracking()
                          join membership in db.UserRoles on user.Id equals membership.UserId into memberships
                          from membership in memberships.DefaultIfEmpty()
                          join role in db.Roles on membership.RoleId equals role.Id into roles
                          from role in roles.DefaultIfEmpty()
                          orderby user.NormalizedUserName
                          select new { user.UserName, Role = role.Name, user.Disabled, user.LockoutEnd, user.CreatedAt, user.LastSignInAt }).ToListAsync(cancel);
        return [.. rows.Select(r => new Person(r.UserName!, r.Role ?? "", r.Disabled, r.LockoutEnd > now ? r.LockoutEnd.Value.UtcDateTime : null, r.CreatedAt, r.LastSignInAt))];
    }

    /// <summary>Makes an account with a made password, which its owner must change at the first sign-in.</summary>
    /// <returns>The password; it is stored hashed only, so this is the one time it can be shown.</returns>
    /// <exception cref="RefusedException">The name is taken or not one, or the role is none of the three.</exception>
    public async Task<string> AddAsync(string name, string role, string by, CancellationToken cancel = default)
    {
        var password = MadePassword();
        await CreateAsync(name, password, role, by, mustChange: true, onlyIfFirst: false, cancel);
        return password;
    }

    /// <summary>Makes an account with a given password, e.g. those of the demonstration.</summary>
    /// <exception cref="RefusedException">The name is taken, the role is unknown, or the password is too short.</exception>
    public Task AddAsync(string name, string password, string role, string by, CancellationToken cancel = default) =>
        CreateAsync(name, password, role, by, mustChange: false, onlyIfFirst: false, cancel);

    /// <summary>Makes the first administrator; refused as soon as anybody has an account.</summary>
    /// <exception cref="RefusedException">There is somebody already, or name or password will not do.</exception>
    public Task CreateFirstAdminAsync(string name, string password, CancellationToken cancel = default) =>
        CreateAsync(name, password, Roles.Admin, name, mustChange: false, onlyIfFirst: true, cancel);

    /// <summary>Gives an account a new made password and ends its lockout; sessions that are open end within a minute.</summary>
    /// <returns>The password, shown this once.</returns>
    /// <exception cref="RefusedException">Nobody has that name.</exception>
    public async Task<string> ResetPasswordAsync(string name, string by, CancellationToken cancel = default)
    {
        var password = MadePassword();
        await ChangeAsync(name, by, "reset the password of", async (users, user, _) =>
        {
            user.MustChangePassword = true;
            Check(await users.RemovePasswordAsync(user));
            Check(await users.AddPasswordAsync(user, password));
            Check(await users.SetLockoutEndDateAsync(user, null));
            Check(await users.ResetAccessFailedCountAsync(user));
        }, cancel);
        return password;
    }

    /// <summary>A person's own change of password.</summary>
    /// <exception cref="RefusedException">The present password is not that, or the new one will not do.</exception>
    public Task ChangePasswordAsync(string name, string present, string wanted, CancellationToken cancel = default)
    {
        if (present == wanted) throw new RefusedException("password-same", "The new password is the present one. Choose another.");
        return ChangeAsync(name, name, "changed the password of", async (users, user, _) =>
        {
            if (!await users.CheckPasswordAsync(user, present))
                throw new RefusedException("password-wrong", "The present password is not right. Type it again.");
            user.MustChangePassword = false;
            Check(await users.ChangePasswordAsync(user, present, wanted));
        }, cancel);
    }

    /// <summary>Bars a person from signing in; open sessions end within a minute.</summary>
    /// <exception cref="RefusedException">Nobody has that name, or it is the last administrator who can sign in.</exception>
    public Task DisableAsync(string name, string by, CancellationToken cancel = default) => ChangeAsync(name, by, "disabled", async (users, user, db) =>
    {
        if (await users.IsInRoleAsync(user, Roles.Admin))
        {
            var others = await (from other in db.Users
                                join membership in db.UserRoles on other.Id equals membership.UserId
                                join role in db.Roles on membership.RoleId equals role.Id
                                where role.Name == Roles.Admin && !other.Disabled && other.Id != user.Id
                                select other.Id).AnyAsync(cancel);
            if (!others) throw new RefusedException("last-admin", $"{user.UserName} is the last administrator who can sign in. Add another administrator first.");
        }
        user.Disabled = true;
        Check(await users.UpdateSecurityStampAsync(user));
    }, cancel);

    /// <summary>Lets a disabled person sign in again.</summary>
    /// <exception cref="RefusedException">Nobody has that name.</exception>
    public Task EnableAsync(string name, string by, CancellationToken cancel = default) => ChangeAsync(name, by, "enabled", async (users, user, _) =>
    {
        user.Disabled = false;
        Check(await users.UpdateSecurityStampAsync(user));
    }, cancel);

    /// <summary>Refuses a person what other roles may do. A name that is nobody's account is a command's (<c>cli:NAME</c>) or the program's own: who runs it owns the data folder.</summary>
    /// <param name="by">Who asks.</param>
    /// <param name="roles">Who may, as <see cref="Roles"/> has them.</param>
    /// <param name="sentence">Said to others.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedException"><c>not-allowed</c>.</exception>
    public async Task RequireAsync(string by, string roles, string sentence, CancellationToken cancel = default)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DomainSslContext>();
        var name = by.ToUpperInvariant();
        if (await db.Users.Where(u => u.NormalizedUserName == name).Select(u => u.Id).SingleOrDefaultAsync(cancel) is not { } person) return;
        var theirs = await db.UserRoles.Where(m => m.UserId == person).Join(db.Roles, m => m.RoleId, r => r.Id, (_, r) => r.Name!).ToListAsync(cancel);
        if (!theirs.Intersect(roles.Split(',')).Any()) throw new RefusedException("not-allowed", sentence);
    }

    /// <summary>A password of twelve letters and digits in three groups: 59 bits, easy to read out.</summary>
    public static string MadePassword()
    {
        var letters = RandomNumberGenerator.GetItems<char>(PasswordLetters, 12);
        return $"{new string(letters, 0, 4)}-{new string(letters, 4, 4)}-{new string(letters, 8, 4)}";
    }

    private async Task CreateAsync(string name, string password, string role, string by, bool mustChange, bool onlyIfFirst, CancellationToken cancel)
    {
        var stored = Roles.All.FirstOrDefault(r => r.Equals(role, StringComparison.OrdinalIgnoreCase))
            ?? throw new RefusedException("role-unknown", $"'{role}' is not a role. Choose admin, clinician or reviewer.");
        await EnsureRolesAsync(cancel);
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        var db = scope.ServiceProvider.GetRequiredService<DomainSslContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (onlyIfFirst && await db.Users.AnyAsync(cancel))
            throw new RefusedException("not-first", "This site has its administrator already. Sign in, or ask the administrator for an account.");
        var user = new User { UserName = name.Trim(), MustChangePassword = mustChange, CreatedAt = time.GetUtcNow().UtcDateTime };
        Check(await users.CreateAsync(user, password));
        Check(await users.AddToRoleAsync(user, stored));
        await audit.AppendAsync(db, by, "added", $"user {user.UserName}", stored, cancel);
        await transaction.CommitAsync(cancel);
    }

    private async Task ChangeAsync(string name, string by, string action, Func<UserManager<User>, User, DomainSslContext, Task> change, CancellationToken cancel)
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        var db = scope.ServiceProvider.GetRequiredService<DomainSslContext>();
        // The transaction comes first: what is read below, the count of administrators above all, holds until it is committed.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var user = await users.FindByNameAsync(name.Trim()) ?? throw new RefusedException("user-unknown", $"Nobody is called '{name}' here. See the list of people.");
        await change(users, user, db);
        await audit.AppendAsync(db, by, action, $"user {user.UserName}", "", cancel);
        await transaction.CommitAsync(cancel);
    }

    private static void Check(IdentityResult result)
    {
        if (result.Succeeded) return;
        var error = result.Errors.First();
        throw new RefusedException("account-" + error.Code.ToLowerInvariant(), error.Code switch
        {
            nameof(IdentityErrorDescriber.DuplicateUserName) => "Somebody has that name already. Choose another.",
            nameof(IdentityErrorDescriber.InvalidUserName) => "A name has letters, digits and . _ - only. Choose another.",
            nameof(IdentityErrorDescriber.PasswordTooShort) => $"A password has at least {IdentitySetup.PasswordLength} characters. Make it longer; a few words will do.",
            nameof(IdentityErrorDescriber.PasswordRequiresUniqueChars) => "A password needs at least five different characters. Choose another.",
            nameof(IdentityErrorDescriber.ConcurrencyFailure) => "Somebody else changed this account just now. Look again and repeat what you did.",
            _ => error.Description,
        });
    }
}
