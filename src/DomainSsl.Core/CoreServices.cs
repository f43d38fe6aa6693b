using DomainSsl.Core.Audit;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Database;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Language;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.People;
using DomainSsl.Core.Review;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Storage;
using DomainSsl.Core.Tasks;
using DomainSsl.Core.Transcripts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace DomainSsl.Core;

/// <summary>All services of Core, registered the same in the site, the worker and the commands.</summary>
public static class CoreServices
{
    /// <summary>Registers Core on one data folder. Services are singletons: each operation opens its own short-lived context.</summary>
    public static IServiceCollection AddDomainSslCore(this IServiceCollection services, DataFolder folder)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(folder);
        services.AddDomainSslDatabase(folder);
        services.AddSingleton<AuditLog>();
        services.AddDomainSslIdentity();
        services.AddSingleton<AuditQuery>();
        services.AddSingleton<IBlobStore, FileBlobStore>();
        services.AddSingleton<Secrets>();
        services.AddSingleton<OrphanSweep>();
        services.AddSingleton<Doctor>();
        services.TryAddSingleton(provider => BoundOptions.Of<ImportOptions>(provider, "Import"));
        services.AddSingleton<SpeechNetwork>();
        services.AddSingleton<LibraryImport>();
        services.AddSingleton<Quarantine>();
        services.AddSingleton<DeidentifiedCopies>();
        services.AddSingleton<LibraryQuery>();
        services.AddSingleton<ItemImages>();
        services.AddSingleton<CollectionService>();
        services.TryAddSingleton(provider => BoundOptions.Of<TaskOptions>(provider, "Tasks"));
        services.AddSingleton<TaskService>();
        services.AddSingleton<ReviewQueue>();
        services.AddSingleton<TranscriptService>();
        services.AddSingleton<TranscriptSearch>();
        services.AddSingleton<TranscriptReaders>();
        services.AddSingleton<TranscriptBundle>();
        services.AddSingleton<ClinicGlossary>();
        services.AddSingleton<TranscriberService>();
        services.AddSingleton<LanguageTexts>();
        services.TryAddSingleton(provider => BoundOptions.Of<WorkerOptions>(provider, WorkerOptions.Section));
        services.AddSingleton<IRunQueue, RunQueue>();
        services.AddSingleton<RunFeed>();
        services.AddSingleton<RunLog>();
        services.AddSingleton(provider => new RecipeCatalog(provider.GetRequiredService<DataFolder>().Root));
        services.AddSingleton<ModelRegistry>();
        return services;
    }
}
