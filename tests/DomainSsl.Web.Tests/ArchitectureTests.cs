using System.Reflection;
using System.Xml.Linq;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnitV3;
using DomainSsl.Testing;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace DomainSsl.Web.Tests;

/// <summary>The table of design.md, "Projects", held against projects and assemblies. Each boundary stands for something that can fail on its own.</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["DomainSsl.Dicom"] = [],
        ["DomainSsl.Audio"] = [],
        ["DomainSsl.Learning"] = [],
        ["DomainSsl.Core"] = ["DomainSsl.Dicom", "DomainSsl.Audio"],
        // Dicom and Audio as well: decoding whole collections into shards is the worker's, two cores wide, and has no place in the site's library.
        ["DomainSsl.Worker"] = ["DomainSsl.Core", "DomainSsl.Learning", "DomainSsl.Dicom", "DomainSsl.Audio"],
        ["DomainSsl.Web"] = ["DomainSsl.Core", "DomainSsl.Worker"],
    };

    [Fact]
    public void Project_Each_ReferencesWhatTheTableAllowsAndNothingElse()
    {
        var projects = Directory.GetDirectories(Path.Combine(SharedData.Project, "src")).Select(d => Path.GetFileName(d)!).Where(n => n.StartsWith("DomainSsl.", StringComparison.Ordinal)).Order().ToArray();
        Assert.Equal(MayReference.Keys.Order(), projects);
        foreach (var project in projects)
        {
            var file = XDocument.Load(Path.Combine(SharedData.Project, "src", project, project + ".csproj"));
            var references = file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.Empty(references.Except(MayReference[project]).Select(r => $"{project} references {r}"));
        }
    }

    [Theory]
    [InlineData("DomainSsl.Dicom")]
    [InlineData("DomainSsl.Audio")]
    [InlineData("DomainSsl.Learning")]
    [InlineData("DomainSsl.Core")]
    [InlineData("DomainSsl.Worker")]
    public void Assembly_Each_KnowsOnlyWhatTheTableAllows(string name)
    {
        var known = Assembly.Load(name).GetReferencedAssemblies().Select(a => a.Name!).ToArray();
        Assert.Empty(known.Where(a => a.StartsWith("DomainSsl.", StringComparison.Ordinal)).Except(MayReference[name]).Select(r => $"{name} knows {r}"));
        if (name is not ("DomainSsl.Learning" or "DomainSsl.Worker")) Assert.DoesNotContain("TorchSharp", known);
    }

    [Fact]
    public void Site_OutsideCommands_KnowsNeitherWorkerNorLearning()
    {
        var architecture = new ArchLoader().LoadAssemblies(typeof(SiteHost).Assembly, Assembly.Load("DomainSsl.Worker"), Assembly.Load("DomainSsl.Learning")).Build();
        Types().That().ResideInAssembly(typeof(SiteHost).Assembly).And().ResideInNamespaceMatching(@"^DomainSsl\.Web(\.(?!Commands).*)?$").And().DoNotHaveFullName("Program")
            .Should().NotDependOnAny(Types().That().ResideInAssembly(Assembly.Load("DomainSsl.Worker")).Or().ResideInAssembly(Assembly.Load("DomainSsl.Learning")))
            .WithoutRequiringPositiveResults().Check(architecture);
    }
}
