using System.Net;
using System.Security.Cryptography;
using DomainSsl.Core;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Database;
using DomainSsl.Core.Models;
using DomainSsl.Core.People;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Web.Components;
using DomainSsl.Web.Endpoints;
using DomainSsl.Web.Receiving;
using DomainSsl.Web.Security;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using MudBlazor;
using MudBlazor.Services;

namespace DomainSsl.Web;

/// <summary>How a site is to be served.</summary>
/// <param name="Data">The data folder.</param>
/// <param name="Urls">Addresses to answer on, separated by semicolons; a port of 0 takes a free one.</param>
/// <param name="Verbose">More log.</param>
/// <param name="WithWorker">Start a worker beside the site and keep it alive (unless <c>Worker:AutoStart</c> says no).</param>
public sealed record SiteRequest(string Data, string Urls = SiteHost.DefaultUrls, bool Verbose = false, bool WithWorker = false);

/// <summary>
/// The site: Blazor pages, HTTP endpoints, sign-in. It shares database and folder with the worker, and nothing else; in particular it never loads libtorch, so a crash in training cannot take
/// the clinic down.
/// </summary>
public static class SiteHost
{
    /// <summary>Loopback: the site answers beyond this machine only when told to.</summary>
    public const string DefaultUrls = "http://127.0.0.1:5080";

    /// <summary>Largest body of one request; larger files come in pieces.</summary>
    public const long LargestBody = 64L << 20;

    /// <summary>Names this start of the site. A page carries it (App.razor) and compares it with what <c>/health</c> says: another start has none of the old one's circuits.</summary>
    internal static string Start { get; } = RandomNumberGenerator.GetHexString(12, lowercase: true);

    /// <summary>Builds the site and brings its database up to date; it does not answer yet.</summary>
    /// <param name="request">Folder and addresses.</param>
    /// <param name="configure">Changes to the builder, for tests.</param>
    /// <param name="cancel">Ends the preparation.</param>
    public static async Task<WebApplication> BuildAsync(SiteRequest request, Action<WebApplicationBuilder>? configure = null, CancellationToken cancel = default)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            // Where the program lies, not where it is started: appsettings.json and wwwroot are beside it.
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(SiteHost).Assembly.GetName().Name,
            EnvironmentName = Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environments.Production,
        });
        // Without it a build (not a publish) outside Development answers every static asset with 200 and an empty body.
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.UseUrls(request.Urls);
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Limits.MaxRequestBodySize = LargestBody;
        });
        builder.Logging.ClearProviders().AddSimpleConsole(o => { o.SingleLine = true; o.TimestampFormat = "HH:mm:ss "; });
        builder.Logging.SetMinimumLevel(request.Verbose ? LogLevel.Information : LogLevel.Warning);
        // It warns that keys are not encrypted at rest: the folder's mode protects them.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        // It writes down whole addresses, and what is looked for in them may be a name.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);

        AddServices(builder.Services, new DataFolder(request.Data));
        if (request.WithWorker) builder.Services.AddHostedService<WorkerSupervisor>();
        configure?.Invoke(builder);

        Settings.Check(builder.Configuration);
        var app = builder.Build();
        await DatabaseSetup.MigrateAsync(app.Services.GetRequiredService<IDbContextFactory<DomainSslContext>>(), cancel);
        await app.Services.GetRequiredService<Accounts>().EnsureRolesAsync(cancel);
        await app.Services.GetRequiredService<ModelRegistry>().EnsurePublicAsync(cancel);
        Map(app);
        return app;
    }

    private static void AddServices(IServiceCollection services, DataFolder folder)
    {
        services.AddDomainSslCore(folder);

        // Keys beside the data: a restart neither signs anyone out nor breaks an open form.
        services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(folder.Keys)).SetApplicationName("DomainSsl");
        new IdentityBuilder(typeof(User), typeof(IdentityRole), services).AddSignInManager<ActiveSignIn>().AddClaimsPrincipalFactory<PersonClaims>();
        services.AddAuthentication(IdentityConstants.ApplicationScheme).AddIdentityCookies(cookies => cookies.ApplicationCookie!.Configure(o =>
        {
            o.Cookie.Name = "domainssl";
            o.Cookie.SameSite = SameSiteMode.Strict;
            o.Cookie.HttpOnly = true;
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            o.ExpireTimeSpan = SessionCheck.Longest;
            o.SlidingExpiration = true;
            o.LoginPath = Paths.SignIn;
            o.AccessDeniedPath = Paths.Denied;
            o.Events.OnRedirectToLogin = context => Answer(context, StatusCodes.Status401Unauthorized);
            o.Events.OnRedirectToAccessDenied = context => Answer(context, StatusCodes.Status403Forbidden);
        }));
        // A disabled account or a new password ends open sessions within a minute.
        services.Configure<SecurityStampValidatorOptions>(o =>
        {
            o.ValidationInterval = TimeSpan.FromMinutes(1);
            o.OnRefreshingPrincipal = refresh =>
            {
                PersonClaims.KeepSession(refresh.CurrentPrincipal, refresh.NewPrincipal);
                return Task.CompletedTask;
            };
        });
        services.AddSingleton<EndedSessions>();
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, SessionCheck>();
        services.AddSingleton<FirstStart>();
        services.AddSingleton<Uploads>();
        services.AddHostedService(provider => provider.GetRequiredService<Uploads>());
        services.AddHostedService<DailySweep>();
        services.AddSingleton<SeenLog>();
        services.AddHostedService(provider => provider.GetRequiredService<SeenLog>());
        services.AddAntiforgery(o => { o.Cookie.Name = "domainssl-form"; o.Cookie.SameSite = SameSiteMode.Strict; o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest; o.HeaderName = "RequestVerificationToken"; });

        services.AddRazorComponents().AddInteractiveServerComponents(o =>
        {
            // A laptop that sleeps over a coffee comes back to the same page.
            o.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(10);
            o.DisconnectedCircuitMaxRetained = 200;
        });
        services.AddMudServices(o =>
        {
            o.SnackbarConfiguration.PositionClass = Defaults.Classes.Position.BottomCenter;
            o.SnackbarConfiguration.PreventDuplicates = true;
            o.SnackbarConfiguration.VisibleStateDuration = 6000;
        });

        // An address under /api answers with its status; a page is redirected to sign-in.
        static Task Answer(Microsoft.AspNetCore.Authentication.RedirectContext<Microsoft.AspNetCore.Authentication.Cookies.CookieAuthenticationOptions> context, int status)
        {
            if (context.Request.Path.StartsWithSegments("/api")) context.Response.StatusCode = status;
            else context.Response.Redirect(context.RedirectUri);
            return Task.CompletedTask;
        }
    }

    private static void Map(WebApplication app)
    {
        // Behind a proxy that ends TLS, cookies are marked as for TLS only. Whoever lies about it harms no one else, so every proxy is believed; addresses are believed of none.
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedProto };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        app.UseForwardedHeaders(forwarded);
        app.UseExceptionHandler("/error", createScopeForErrors: true);
        app.UseMiddleware<SecurityHeaders>();
        // A page that is not there says so; an endpoint's status stays as it is.
        app.UseWhen(context => !context.Request.Path.StartsWithSegments("/api"), pages => pages.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true));
        app.UseAuthentication();
        app.UseMiddleware<FirstSteps>();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapStaticAssets().AllowAnonymous();
        app.MapGet("/health", (HttpContext context) =>
        {
            context.Response.Headers["Site-Start"] = Start;
            return Results.Text("ok");
        }).AllowAnonymous().WithName("health");
        app.MapSiteEndpoints();
        app.MapMedia();
        app.MapUploads();
        app.MapLanguage();
        app.MapRuns();
        app.MapTaskEndpoints();
        app.MapPixelEndpoints();
        app.MapReviewEndpoints();
        app.MapTranscriptEndpoints();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(o => o.ContentSecurityFrameAncestorsPolicy = "'none'");
    }

    /// <summary>Whether a request comes from this very machine, and not through a proxy on it.</summary>
    internal static bool IsFromThisMachine(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && !context.Request.Headers.ContainsKey("X-Forwarded-For") && !context.Request.Headers.ContainsKey("Forwarded")
        && context.Request.Host.Host is ("localhost" or "127.0.0.1" or "[::1]");
}
