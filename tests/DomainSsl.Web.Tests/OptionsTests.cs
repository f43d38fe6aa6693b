using DomainSsl.Core;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Testing;
using DomainSsl.Web.Commands;
using Microsoft.Extensions.Configuration;

namespace DomainSsl.Web.Tests;

/// <summary>The configuration file holds every option with its default, and nothing that no option reads.</summary>
public sealed class OptionsTests
{
    [Theory]
    [InlineData("Import", typeof(ImportOptions))]
    [InlineData("Tasks", typeof(TaskOptions))]
    [InlineData("Worker", typeof(WorkerOptions))]
    [InlineData("Demo", typeof(DemoOptions))]
    public void Section_Each_HoldsEveryOptionWithItsDefault(string section, Type type)
    {
        var values = new ConfigurationBuilder().AddJsonFile(Path.Combine(SharedData.Project, "appsettings.json")).Build().GetSection(section);
        var properties = type.GetProperties().Where(p => p.CanWrite).ToArray();
        Assert.Equal(properties.Select(p => p.Name).Order(), values.GetChildren().Select(c => c.Key).Order());
        var (bound, usual) = (values.Get(type)!, Activator.CreateInstance(type)!);
        foreach (var property in properties) Assert.Equal(property.GetValue(usual), property.GetValue(bound));
    }

    [Fact]
    public void Check_OfTheFileThatIsDelivered_FindsNoFault() =>
        Settings.Check(new ConfigurationBuilder().AddJsonFile(Path.Combine(SharedData.Project, "appsettings.json")).Build());

    [Theory]
    [InlineData("Import:Workers", "1000", "Import:Workers")]
    [InlineData("Tasks:TestShare", "much", "Tasks:TestShare")]
    [InlineData("Worker:AutoStart", "perhaps", "Worker:AutoStart")]
    [InlineData("Demo:TranscriberSteps", "0", "Demo:TranscriberSteps")]
    [InlineData("Import:KeepOriginal", "true", "Import:KeepOriginal, which nothing reads")]
    [InlineData("Worker:Autostarts", "true", "Worker:Autostarts, which nothing reads")]
    [InlineData("Storage:Folder", "data", "Storage:Folder, which nothing reads")]
    public void Check_WrongValueOrUnknownKey_IsRefusedByItsName(string key, string value, string said)
    {
        var refused = Assert.Throws<RefusedException>(() => Settings.Check(new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build()));
        Assert.Contains(said, refused.Refusal.Sentence);
    }
}
