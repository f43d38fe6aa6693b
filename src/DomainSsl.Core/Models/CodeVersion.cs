using System.Reflection;

namespace DomainSsl.Core.Models;

/// <summary>Which program made a model.</summary>
public static class CodeVersion
{
    /// <summary>Version and commit, e.g. <c>0.1.0+3f2a…</c>, as the build wrote them into the assembly.</summary>
    public static string Current { get; } = typeof(CodeVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
