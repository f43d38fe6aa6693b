using DomainSsl.Learning.Augmentation;

namespace DomainSsl.Learning.Transcribing;

/// <summary>How a transcriber is fitted. Every arm of a comparison is given the same; only what speaks of pretrained weights (<see cref="HeadSteps"/>, <see cref="FreshBlocks"/>) is empty from scratch.</summary>
public sealed record TranscriberSettings
{
    private const int MostSteps = 10_000_000;

    /// <summary>Highest rates of the head that are tried.</summary>
    public IReadOnlyList<double> Rates { get; init; } = [1e-3];

    /// <summary>Those that are tried where the encoder starts from chance: it gains by a higher one, a pretrained encoder loses by it.</summary>
    public IReadOnlyList<double> FreshRates { get; init; } = [2e-3];

    /// <summary>Highest rates of the encoder that are tried, as shares of the head's.</summary>
    public IReadOnlyList<double> EncoderShares { get; init; } = [1];

    /// <summary>Where there are several rates to choose among: steps of each one's trial, a whole schedule of its own.</summary>
    public int TrialSteps { get; init; } = 300;

    /// <summary>Steps of the first round: the rate goes up over <see cref="WarmUp"/> and down along a cosine.</summary>
    public int Steps { get; init; } = 350;

    /// <summary>Rounds at most. The second always follows where speakers are held out, a further one as long as the last made <see cref="LeastGain"/> of difference; each goes on from the best weights.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Each round is so many times as long as the one before: an encoder that has learnt to read has soon had what a few minutes can give, one from chance needs thousands of steps (warm restarts with T_mult = 2, Loshchilov and Hutter 2017).</summary>
    public double RoundGrowth { get; init; } = 2;

    /// <summary>Rate of a round as a share of that of the round before.</summary>
    public double RoundShare { get; init; } = 0.7;

    /// <summary>A round must lower the error rate of the held-out speakers by this share for another to follow.</summary>
    public double LeastGain { get; init; } = 0.03;

    /// <summary>Share of a round's steps in which the rate rises.</summary>
    public double WarmUp { get; init; } = 0.05;

    /// <summary>The held-out speakers are transcribed after every so many steps, to show how far it is, and at the end of a round.</summary>
    public int EvaluateEvery { get; init; } = 200;

    /// <summary>Share of the labelled time that is held out, by speaker, to choose rates and the number of steps.</summary>
    public double HeldOut { get; init; } = 0.12;

    /// <summary>Whether the network is fitted once more on all labels, with the rates and steps that were chosen.</summary>
    public bool Refit { get; init; }

    /// <summary>Whether the head of an encoder that has learnt to read is taken over with it.</summary>
    public bool TakeHead { get; init; } = true;

    /// <summary>Steps at the beginning in which the head alone moves and a pretrained encoder stands still; none where its head is taken over.</summary>
    public int HeadSteps { get; init; } = 150;

    /// <summary>Sound in a step, seconds, padding counted.</summary>
    public double BatchSeconds { get; init; } = 40;

    /// <summary>Weight decay of AdamW.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Longest gradient; 0: not clipped.</summary>
    public double Clip { get; init; } = 5;

    /// <summary>Share of the values before the head that a step leaves out.</summary>
    public double Dropout { get; init; } = 0.2;

    /// <summary>Share of a running mean of the weights that each step keeps; the mean is what is tried on the held-out speakers and kept (Polyak and Juditsky 1992). 0: the weights themselves.</summary>
    public double Averaging { get; init; } = 0.99;

    /// <summary>What the head sees: <c>last</c>, the encoder's result, or <c>mix</c>, a learnt mean of what all its blocks give.</summary>
    public string Layers { get; init; } = TranscriberNetwork.Last;

    /// <summary>Blocks at the end of a pretrained encoder that begin from chance: they have specialised in the task of pretraining.</summary>
    public int FreshBlocks { get; init; }

    /// <summary>Blocks at the end of the encoder that are left out.</summary>
    public int DroppedBlocks { get; init; }

    /// <summary>Stretches of time and bands that are hidden.</summary>
    public SpecAugmentOptions Masks { get; init; } = new() { TimeSeconds = 0.3, BandShare = 0.16 };

    /// <summary>Speed and noise.</summary>
    public DistortionOptions Distortion { get; init; } = new() { Speed = 0.1, Noise = 0.3 };

    /// <summary>Steps of a round, counted from 0.</summary>
    internal int StepsOf(int round) => (int)Math.Round(Steps * Math.Pow(RoundGrowth, round));

    /// <summary>Throws where a value cannot be.</summary>
    /// <exception cref="LearningException">With a sentence that names it.</exception>
    public void Validate()
    {
        void Must(bool holds, string sentence)
        {
            if (!holds) throw new LearningException(sentence);
        }

        Must(Rates.Count > 0 && FreshRates.Count > 0 && EncoderShares.Count > 0 && Rates.Concat(FreshRates).Concat(EncoderShares).All(r => r >= 0), "A transcriber's 'rates', 'freshRates' and 'encoderShares' must each name at least one number, none below 0.");
        Must(RoundGrowth is >= 1 and <= 10 && RoundShare is > 0 and <= 1, "A transcriber's 'roundGrowth' must be from 1 to 10 and its 'roundShare' a share above 0.");
        Must(Steps > 0 && Rounds > 0 && EvaluateEvery > 0 && TrialSteps > 0 && HeadSteps >= 0, "A transcriber's 'steps', 'trialSteps', 'rounds' and 'evaluateEvery' must be above 0.");
        Must(Steps * Math.Pow(RoundGrowth, Rounds - 1) * Rounds <= MostSteps, $"A transcriber's 'rounds' come to more than {MostSteps:#,0} steps; lower 'steps', 'rounds' or 'roundGrowth'.");
        Must(HeldOut is > 0 and < 1 && WarmUp is >= 0 and < 1 && Dropout is >= 0 and < 1 && Averaging is >= 0 and < 1, "A transcriber's 'heldOut', 'warmUp', 'dropout' and 'averaging' must be shares below 1.");
        Must(BatchSeconds > 0, "A transcriber's 'batchSeconds' must be above 0.");
        Must(Distortion.Speed is >= 0 and < 1, "A transcriber's 'distortion.speed' must be a share below 1.");
        Must(Layers is TranscriberNetwork.Last or TranscriberNetwork.Mix, $"A transcriber's 'layers' are {TranscriberNetwork.Last} or {TranscriberNetwork.Mix}, not '{Layers}'.");
        Must(FreshBlocks >= 0 && DroppedBlocks >= 0, "A transcriber's 'freshBlocks' and 'droppedBlocks' must not be below 0.");
    }
}
