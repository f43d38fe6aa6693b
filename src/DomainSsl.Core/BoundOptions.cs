using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core;

/// <summary>Options from one section of <c>appsettings.json</c>, checked when they are first asked for.</summary>
public static class BoundOptions
{
    /// <summary>Binds and checks a section; the defaults where there is no configuration (tests).</summary>
    /// <exception cref="RefusedException"><c>bad-configuration</c>: names every key at fault.</exception>
    public static T Of<T>(IServiceProvider provider, string section) where T : class, new()
    {
        T options;
        try { options = provider.GetService<IConfiguration>()?.GetSection(section).Get<T>() ?? new T(); }
        catch (InvalidOperationException e) { throw new RefusedException("bad-configuration", $"appsettings.json, section {section}: {e.Message}"); }
        var faults = new List<ValidationResult>();
        if (Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true)) return options;
        throw new RefusedException("bad-configuration", $"appsettings.json: {string.Join(' ', faults.Select(f => $"{section}:{string.Join(", ", f.MemberNames)}: {f.ErrorMessage}"))}");
    }
}
