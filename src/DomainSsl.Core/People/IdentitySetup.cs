using DomainSsl.Core.Database;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core.People;

/// <summary>ASP.NET Core Identity on our database, the same for the site and the commands.</summary>
public static class IdentitySetup
{
    /// <summary>Shortest password. Length is what counts; rules about kinds of characters are not set (NIST SP 800-63B, 3.1.1.2).</summary>
    public const int PasswordLength = 12;

    /// <summary>Wrong passwords in a row after which an account rests.</summary>
    public const int FailedTries = 5;

    /// <summary>How long it rests.</summary>
    public static readonly TimeSpan LockedFor = TimeSpan.FromMinutes(15);

    /// <summary>Registers users, roles and <see cref="Accounts"/>. The site adds sign-in and cookies.</summary>
    public static IServiceCollection AddDomainSslIdentity(this IServiceCollection services)
    {
        services.AddSingleton<Accounts>();
        services.AddIdentityCore<User>(options =>
        {
            options.Password = new PasswordOptions
            {
                RequiredLength = PasswordLength, RequiredUniqueChars = 5, RequireDigit = false, RequireLowercase = false, RequireUppercase = false, RequireNonAlphanumeric = false,
            };
            options.Lockout = new LockoutOptions { MaxFailedAccessAttempts = FailedTries, DefaultLockoutTimeSpan = LockedFor, AllowedForNewUsers = true };
            options.User.AllowedUserNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
        }).AddRoles<IdentityRole>().AddEntityFrameworkStores<DomainSslContext>();
        return services;
    }
}
