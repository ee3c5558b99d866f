using System.Numerics;
using FaceDistill.Views;

namespace FaceDistill.Tests.Views;

public sealed class SeededChoiceTests
{
    [Fact]
    public void A_permutation_holds_every_number_once_and_depends_on_seed_and_epoch_alone()
    {
        int[] order = SeededChoice.Permutation(1000, 7, 3);
        Assert.Equal(Enumerable.Range(0, 1000), order.Order());
        Assert.Equal(order, SeededChoice.Permutation(1000, 7, 3));
        Assert.NotEqual(order, SeededChoice.Permutation(1000, 7, 4));
        Assert.NotEqual(order, SeededChoice.Permutation(1000, 8, 3));
        Assert.NotEqual(SeededChoice.Permutation(1000, 8, 7), SeededChoice.Permutation(1000, 7, 8)); // the keys are not exchangeable
        Assert.Empty(SeededChoice.Permutation(0, 1, 1));
    }

    [Fact]
    public void The_mean_place_of_every_number_is_the_middle()
    {
        var places = new double[20];
        for (int epoch = 0; epoch < 2000; epoch++)
        {
            int[] order = SeededChoice.Permutation(20, 1, epoch);
            for (int place = 0; place < 20; place++)
            {
                places[order[place]] += place / 2000.0;
            }
        }

        Assert.All(places, mean => Assert.InRange(mean, 8.8, 10.2)); // 9.5 with a standard error of 0.13
    }

    [Fact]
    public void Every_bit_is_set_half_of_the_time_and_changes_with_each_key()
    {
        var set = new int[64];
        int changed = 0;
        for (int i = 0; i < 4000; i++)
        {
            ulong bits = SeededChoice.Bits(1, 2, i, 1);
            for (int bit = 0; bit < 64; bit++)
            {
                set[bit] += (int)((bits >> bit) & 1);
            }

            changed += BitOperations.PopCount(bits ^ SeededChoice.Bits(1, 2, i, 2));
        }

        Assert.All(set, count => Assert.InRange(count, 1800, 2200)); // 2000 with a standard deviation of 32
        Assert.InRange(changed / 4000.0, 31, 33);
        Assert.Equal(4, new[] { SeededChoice.Bits(1, 0, 0), SeededChoice.Bits(0, 1, 0), SeededChoice.Bits(0, 0, 1), SeededChoice.Bits(0, 0, 0, 1) }.Distinct()
            .Count());
    }
}
