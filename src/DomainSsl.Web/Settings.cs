using DomainSsl.Core;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Web.Commands;

namespace DomainSsl.Web;

/// <summary>The sections of <c>appsettings.json</c>.</summary>
public static class Settings
{
    /// <summary>Their names. The environment's other variables may hold secrets and are not shown.</summary>
    public static readonly IReadOnlyList<string> Sections = ["Storage", "Import", "Tasks", WorkerOptions.Section, "Demo"];

    /// <summary>Checks every section as a site or worker starts: a fault is said at once, not hours later in the middle of somebody's work.</summary>
    /// <exception cref="RefusedException"><c>bad-configuration</c>.</exception>
    public static void Check(IConfiguration configuration)
    {
        BoundOptions.RefuseUnknown(configuration, "Storage", ["Root"]);
        BoundOptions.Of<ImportOptions>(configuration, "Import");
        BoundOptions.Of<TaskOptions>(configuration, "Tasks");
        BoundOptions.Of<WorkerOptions>(configuration, WorkerOptions.Section);
        BoundOptions.Of<DemoOptions>(configuration, "Demo");
    }
}
