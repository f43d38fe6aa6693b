using System.Collections.Concurrent;
using System.Security.Claims;
using DomainSsl.Core.People;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace DomainSsl.Web.Security;

/// <summary>Sessions that were signed out of. In memory: open pages, which alone ask, end with their process too.</summary>
internal sealed class EndedSessions(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _ended = new(StringComparer.Ordinal);

    /// <summary>Ends a person's session, in all its open pages.</summary>
    public void End(ClaimsPrincipal person)
    {
        foreach (var (old, _) in _ended.Where(e => e.Value < time.GetUtcNow() - SessionCheck.Longest)) _ended.TryRemove(old, out _);
        if (PersonClaims.SessionOf(person) is { } session) _ended[session] = time.GetUtcNow();
    }

    /// <summary>Whether it was ended.</summary>
    public bool Has(ClaimsPrincipal person) => PersonClaims.SessionOf(person) is { } session && _ended.ContainsKey(session);
}

/// <summary>Looks every minute whether the person of an open page may still be there: a circuit outlives its cookie's checks.</summary>
internal sealed class SessionCheck(ILoggerFactory log, IServiceScopeFactory scopes, IOptions<IdentityOptions> options, EndedSessions ended, TimeProvider time) : RevalidatingServerAuthenticationStateProvider(log)
{
    /// <summary>How long a page may stay open, and a session last without a request.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    private readonly DateTimeOffset _begun = time.GetUtcNow();

    protected override TimeSpan RevalidationInterval => TimeSpan.FromMinutes(1);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState state, CancellationToken cancel)
    {
        if (ended.Has(state.User) || time.GetUtcNow() - _begun > Longest) return false;
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        var user = await users.GetUserAsync(state.User);
        return user is { Disabled: false } && state.User.FindFirstValue(options.Value.ClaimsIdentity.SecurityStampClaimType) == await users.GetSecurityStampAsync(user);
    }
}
