using DomainSsl.Browser.Tests.Tasks;
using DomainSsl.Web;
using Microsoft.Playwright;

namespace DomainSsl.Browser.Tests;

/// <summary>A shared desk: who has signed out leaves nothing open behind.</summary>
public sealed class SignOutTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task SignOut_InOneWindow_EndsTheOthersOfTheSameBrowser_AndNobodyElses()
    {
        await using var clinic = await SeededClinic.StartAsync(1);
        var (one, another) = (await chromium.NewPageAsync(clinic.Site.Address), await chromium.NewPageAsync(clinic.Site.Address));
        await SeededClinic.SignInAsync(one, "anna", Paths.Tasks);
        await SeededClinic.SignInAsync(another, "anna", Paths.Tasks);
        var second = await one.Context.NewPageAsync();
        await second.GotoAsync(clinic.Site.Address + Paths.Library);
        await second.WaitForSelectorAsync("body[data-ready]");

        await one.ClickAsync("details.menu > summary");
        await one.ClickAsync("form[action='/account/sign-out'] button");
        await one.WaitForURLAsync("**/account/sign-in*");
        await second.WaitForURLAsync("**/account/sign-in*");
        // At another machine the same person works on.
        await another.ReloadAsync();
        await another.WaitForSelectorAsync("body[data-ready]");
        Assert.Equal(Paths.Tasks, new Uri(another.Url).AbsolutePath);
    }
}
