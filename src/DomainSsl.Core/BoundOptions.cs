using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DomainSsl.Core;

/// <summary>Options from one section of <c>appsettings.json</c>, checked when they are first asked for; site and worker ask for all of them as they start.</summary>
public static class BoundOptions
{
    /// <summary>Binds and checks a section; the defaults where there is no configuration (tests).</summary>
    /// <exception cref="RefusedException"><c>bad-configuration</c>: names every key at fault.</exception>
    public static T Of<T>(IServiceProvider provider, string section) where T : class, new() => Of<T>(provider.GetService<IConfiguration>(), section);

    /// <inheritdoc cref="Of{T}(IServiceProvider, string)" />
    public static T Of<T>(IConfiguration? configuration, string section) where T : class, new()
    {
        RefuseUnknown(configuration, section, typeof(T).GetProperties().Select(p => p.Name));
        T options;
        try { options = configuration?.GetSection(section).Get<T>() ?? new T(); }
        catch (InvalidOperationException e) { throw new RefusedException("bad-configuration", $"appsettings.json, section {section}: {e.Message}"); }
        var faults = new List<ValidationResult>();
        if (Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true)) return options;
        throw new RefusedException("bad-configuration", $"appsettings.json: {string.Join(' ', faults.Select(f => $"{section}:{string.Join(", ", f.MemberNames)}: {f.ErrorMessage}"))}");
    }

    /// <summary>Refuses a key that nothing reads: it is a slip of the pen, and what was meant would silently stay at its default.</summary>
    /// <exception cref="RefusedException"><c>bad-configuration</c>: names the keys, and those that there are.</exception>
    public static void RefuseUnknown(IConfiguration? configuration, string section, IEnumerable<string> known)
    {
        var names = known.ToArray();
        var unknown = (configuration?.GetSection(section).GetChildren() ?? []).Select(c => c.Key).Except(names, StringComparer.OrdinalIgnoreCase).ToArray();
        if (unknown.Length == 0) return;
        throw new RefusedException("bad-configuration",
            $"appsettings.json (or the environment) sets {string.Join(", ", unknown.Select(u => $"{section}:{u}"))}, which nothing reads; section {section} has {string.Join(", ", names)}.");
    }
}
