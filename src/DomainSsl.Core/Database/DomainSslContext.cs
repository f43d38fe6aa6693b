using DomainSsl.Audio.Quality;
using DomainSsl.Core.Audit;
using DomainSsl.Core.Collections;
using DomainSsl.Core.Importing;
using DomainSsl.Core.Library;
using DomainSsl.Core.Models;
using DomainSsl.Core.People;
using DomainSsl.Core.Review;
using DomainSsl.Core.Runs;
using DomainSsl.Core.Tasks;
using DomainSsl.Core.Transcripts;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace DomainSsl.Core.Database;

/// <summary>The database of one installation: SQLite in WAL with <c>synchronous=FULL</c>, so that what was acknowledged survives a power cut.</summary>
public sealed class DomainSslContext(DbContextOptions<DomainSslContext> options) : IdentityDbContext<User>(options)
{
    /// <summary>Pseudonyms of patients and speakers.</summary>
    public DbSet<Patient> Patients => Set<Patient>();
    /// <summary>DICOM studies.</summary>
    public DbSet<Study> Studies => Set<Study>();
    /// <summary>DICOM series.</summary>
    public DbSet<Series> Series => Set<Series>();
    /// <summary>DICOM images.</summary>
    public DbSet<Instance> Instances => Set<Instance>();
    /// <summary>Sounds.</summary>
    public DbSet<Recording> Recordings => Set<Recording>();
    /// <summary>Speech found in them.</summary>
    public DbSet<Segment> Segments => Set<Segment>();
    /// <summary>What is learnt from and judged.</summary>
    public DbSet<Item> Items => Set<Item>();
    /// <summary>Imports.</summary>
    public DbSet<ImportBatch> ImportBatches => Set<ImportBatch>();
    /// <summary>Refused files.</summary>
    public DbSet<QuarantinedFile> Quarantine => Set<QuarantinedFile>();
    /// <summary>Other files of the same content.</summary>
    public DbSet<SourceAlias> SourceAliases => Set<SourceAlias>();
    /// <summary>Named sets of items.</summary>
    public DbSet<Collection> Collections => Set<Collection>();
    /// <summary>Which items are in which collection.</summary>
    public DbSet<CollectionItem> CollectionItems => Set<CollectionItem>();
    /// <summary>The queue and its history.</summary>
    public DbSet<Run> Runs => Set<Run>();
    /// <summary>The registry.</summary>
    public DbSet<Model> Models => Set<Model>();
    /// <summary>Promotions, retirements, roll-backs.</summary>
    public DbSet<ModelStateChange> ModelStateChanges => Set<ModelStateChange>();
    /// <summary>Questions.</summary>
    public DbSet<LabelTask> Tasks => Set<LabelTask>();
    /// <summary>Their answers.</summary>
    public DbSet<TaskClass> TaskClasses => Set<TaskClass>();
    /// <summary>Their locked test patients.</summary>
    public DbSet<TaskTestPatient> TaskTestPatients => Set<TaskTestPatient>();
    /// <summary>What people said.</summary>
    public DbSet<Label> Labels => Set<Label>();
    /// <summary>What models said.</summary>
    public DbSet<Prediction> Predictions => Set<Prediction>();
    /// <summary>What people made of it.</summary>
    public DbSet<ReviewEntry> Reviews => Set<ReviewEntry>();
    /// <summary>What is said in recordings.</summary>
    public DbSet<RecordingTranscript> Transcripts => Set<RecordingTranscript>();
    /// <summary>Their versions.</summary>
    public DbSet<TranscriptVersion> TranscriptVersions => Set<TranscriptVersion>();
    /// <summary>Their segments, of all versions.</summary>
    public DbSet<TranscriptRow> TranscriptRows => Set<TranscriptRow>();
    /// <summary>Edits of theirs that came too late.</summary>
    public DbSet<SetAsideEdit> SetAsideEdits => Set<SetAsideEdit>();
    /// <summary>The clinic's glossary.</summary>
    public DbSet<ClinicTerm> ClinicTerms => Set<ClinicTerm>();
    /// <summary>Who did what, when.</summary>
    public DbSet<AuditEntry> Audit => Set<AuditEntry>();

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.Entity<Patient>().HasIndex(p => p.Pseudonym).IsUnique();
        builder.Entity<Study>(e =>
        {
            e.HasIndex(s => s.Uid).IsUnique();
            e.HasIndex(s => new { s.ImportedAt, s.Id });
            e.HasIndex(s => new { s.Date, s.Id });
            e.HasIndex(s => new { s.Modality, s.Id });
            e.HasIndex(s => new { s.Images, s.Id });
            e.HasIndex(s => s.PatientId);
        });
        builder.Entity<Series>().HasIndex(s => s.Uid).IsUnique();
        builder.Entity<Instance>(e =>
        {
            e.HasIndex(i => i.Uid).IsUnique();
            e.HasIndex(i => i.SourceHash).IsUnique();
            e.HasIndex(i => i.BlobHash);
        });
        builder.Entity<Recording>(e =>
        {
            e.HasIndex(r => r.SourceHash).IsUnique();
            e.HasIndex(r => r.BlobHash);
            e.HasIndex(r => new { r.ImportedAt, r.Id });
            e.HasMany(r => r.Segments).WithOne().HasForeignKey(s => s.RecordingId);
        });
        builder.Entity<Segment>().HasIndex(s => new { s.RecordingId, s.Start });
        builder.Entity<Item>(e =>
        {
            e.HasIndex(i => i.Hash).IsUnique();
            e.HasIndex(i => i.InstanceId);
            e.HasIndex(i => i.RecordingId);
            e.HasIndex(i => i.PatientId);
            e.HasIndex(i => i.StudyId);
        });
        builder.Entity<SourceAlias>().HasKey(a => a.SourceHash);
        builder.Entity<QuarantinedFile>().HasIndex(q => new { q.At, q.Id });
        builder.Entity<Collection>().HasIndex(c => c.Name).IsUnique();
        builder.Entity<CollectionItem>(e =>
        {
            e.HasKey(c => new { c.CollectionId, c.ItemId });
            e.HasIndex(c => c.ItemId);
        });
        builder.Entity<Run>(e =>
        {
            e.HasIndex(r => new { r.State, r.QueuedAt });
            e.HasIndex(r => r.TaskId);
        });
        builder.Entity<Model>(e =>
        {
            e.HasIndex(m => m.Name).IsUnique();
            e.HasIndex(m => m.TaskId);
            // A run makes its model once, however often the run was taken up again.
            e.HasIndex(m => new { m.RunId, m.Name }).IsUnique();
        });
        builder.Entity<ModelStateChange>().HasIndex(c => c.ModelId);
        builder.Entity<LabelTask>(e =>
        {
            e.HasIndex(t => t.Name).IsUnique();
            e.HasMany(t => t.Classes).WithOne().HasForeignKey(c => c.TaskId);
        });
        builder.Entity<TaskClass>().HasIndex(c => new { c.TaskId, c.Name }).IsUnique();
        builder.Entity<TaskTestPatient>().HasKey(t => new { t.TaskId, t.PatientId });
        builder.Entity<Label>(e =>
        {
            e.HasIndex(l => l.ClientKey).IsUnique();
            e.HasIndex(l => new { l.TaskId, l.ItemId }).IsUnique().HasFilter("\"SupersededAt\" IS NULL");
            e.HasIndex(l => new { l.TaskId, l.At });
        });
        builder.Entity<Prediction>(e =>
        {
            e.HasIndex(p => new { p.ModelId, p.ItemId }).IsUnique();
            e.HasIndex(p => new { p.TaskId, p.ModelId, p.Uncertainty, p.Id });
        });
        builder.Entity<RecordingTranscript>(e =>
        {
            e.HasIndex(t => t.RecordingId).IsUnique();
            e.HasIndex(t => t.State);
        });
        builder.Entity<TranscriptVersion>(e =>
        {
            e.HasIndex(v => v.ClientKey).IsUnique();
            e.HasIndex(v => new { v.TranscriptId, v.Number }).IsUnique();
        });
        builder.Entity<TranscriptRow>(e =>
        {
            e.HasIndex(r => new { r.TranscriptId, r.Uid }).IsUnique();
            e.HasIndex(r => new { r.TranscriptId, r.To, r.Position });
        });
        builder.Entity<ClinicTerm>().HasIndex(t => t.Text).IsUnique();
        builder.Entity<SetAsideEdit>().HasIndex(e => e.ClientKey).IsUnique();
        builder.Entity<ReviewEntry>(e =>
        {
            e.HasIndex(r => r.ClientKey).IsUnique();
            e.HasIndex(r => r.PredictionId).IsUnique().HasFilter("\"SupersededAt\" IS NULL");
        });
    }

    /// <inheritdoc />
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        // SQLite keeps no time zone: all times are UTC and come back as such.
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();
        // Words instead of numbers for enumerations: the database stays readable by itself, and reordering an enum changes nothing.
        configurationBuilder.Properties<ItemKind>().HaveConversion<string>();
        configurationBuilder.Properties<ChannelUse>().HaveConversion<string>();
        configurationBuilder.Properties<RunKind>().HaveConversion<string>();
        configurationBuilder.Properties<RunState>().HaveConversion<string>();
        configurationBuilder.Properties<ModelKind>().HaveConversion<string>();
        configurationBuilder.Properties<ModelState>().HaveConversion<string>();
        configurationBuilder.Properties<TermBoost>().HaveConversion<string>();
        configurationBuilder.Properties<LabelAnswer>().HaveConversion<string>();
        configurationBuilder.Properties<LabelSource>().HaveConversion<string>();
        configurationBuilder.Properties<ReviewDecision>().HaveConversion<string>();
        configurationBuilder.Properties<TranscriptState>().HaveConversion<string>();
        configurationBuilder.Properties<TranscriptDeed>().HaveConversion<string>();
    }

    private sealed class UtcConverter() : ValueConverter<DateTime, DateTime>(v => v, v => DateTime.SpecifyKind(v, DateTimeKind.Utc));
}
